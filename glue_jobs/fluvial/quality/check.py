"""`check_rules`: attaches every violation of a row; `error` ones will quarantine it."""

import hashlib
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fluvial import columns as c
from fluvial.config.model import Table
from fluvial.config.rules import Rule
from fluvial.quality.predicates import is_shared, shared_name, violated
from fluvial.seldom import seldom
from fluvial.streams import EVENT, HAS_ERROR, KIND, UNREADABLE, CheckedRecords, ParsedRecords, TransformFailure

VIOLATIONS_TYPE = "array<struct<rule_id:string,column:string,severity:string,message:string,rule_version:string>>"
TYPE_RULE = "schema.type"
NULLABLE_RULE = "schema.nullable"


@dataclass(frozen=True)
class _Condition:
    """One thing a row can violate: where, and what to say of it."""

    rule_id: str
    column: str
    severity: str
    message: str
    version: str
    holds: Column

    def violation(self) -> Column:
        """The struct to attach where the condition holds, else NULL."""
        fields = {
            "rule_id": self.rule_id,
            "column": self.column,
            "severity": self.severity,
            "message": self.message,
            "rule_version": self.version,
        }
        return F.when(self.holds, F.struct(*(F.lit(value).alias(name) for name, value in fields.items())))


def check_rules(records: ParsedRecords, table: Table, failures: Sequence[TransformFailure] = ()) -> CheckedRecords:
    """Adds `_violations` (NULL where there is none) and `_has_error`. Deletes and truncates are never judged.

    What a transform can't change is a violation too: its row may not go on with a NULL for a value.
    """
    conditions = [*_conditions(table), *map(_failed, failures)]
    compared, names = _compare_rows(records, table)
    found = F.array_compact(F.array(*(condition.violation() for condition in conditions)))
    has_error = _some([condition for condition in conditions if condition.severity == "error"])
    has_other = _some([condition for condition in conditions if condition.severity != "error"])
    # What is an error stands first, so that Spark asks it once for both columns.
    violations = F.when(has_error | has_other, found).cast(VIOLATIONS_TYPE).alias(c.VIOLATIONS)
    return CheckedRecords(compared.select(*names, violations, has_error.alias(HAS_ERROR)))


def _is_judged() -> Column:
    return (F.col(KIND) == EVENT) & F.col(c.OPERATION).isin(c.INSERT, c.UPDATE, c.READ)


def _compare_rows(records: ParsedRecords, table: Table) -> tuple[DataFrame, list[str]]:
    """What rules of a whole micro-batch need to know as working columns, and the names of those to keep."""
    names = sorted({rule.column for rule in table.dq_rules if rule.looks_at_batch})
    if not names:
        return records, records.columns
    key = F.struct(*table.primary_key)

    def shared(name: str) -> Column:
        value = F.when(_is_judged() & _is_judgeable(name), F.col(name))
        return is_shared(value, key).alias(shared_name(name))

    return records.select("*", *map(shared, names)), records.columns


def _some(conditions: list[_Condition]) -> Column:
    """Whether a row that is judged at all meets one of them; never NULL. Columns that can't be read count as one."""
    of_type, others = F.size(UNREADABLE) > 0, [each.holds for each in conditions if each.rule_id != TYPE_RULE]
    signs = [of_type, *others] if len(others) < len(conditions) else others
    return F.coalesce(_is_judged() & reduce(operator.or_, signs, F.lit(False)), F.lit(False))


def rule_version(rule: Rule) -> str:
    """A fingerprint of a rule's definition: it changes when the rule does."""
    return hashlib.sha256(rule.model_dump_json().encode()).hexdigest()[:12]


def _conditions(table: Table) -> list[_Condition]:
    types = {column.name: column.type for column in table.columns}
    configured = [
        _Condition(
            rule.id,
            rule.column,
            rule.severity,
            _message(rule),
            rule_version(rule),
            violated(rule, types[rule.column]) & seldom(_is_judgeable(rule.column)),
        )
        for rule in table.dq_rules
    ]
    return [*configured, *_schema_conditions(table)]


def _message(rule: Rule) -> str:
    bounds = ", ".join(f"{name}={value}" for name, value in rule.params.model_dump(exclude_none=True).items())
    return f"{rule.column} breaks {rule.type}" + (f" ({bounds})" if bounds else "")


def _schema_conditions(table: Table) -> list[_Condition]:
    """What the schema itself promises: the type, and `nullable: false` unless a not_null rule says so already."""
    guarded = {rule.column for rule in table.dq_rules if rule.type == "not_null" and rule.severity == "error"}
    guarded |= set(table.primary_key)
    return [
        *(_unreadable(column.name, column.type) for column in table.columns if column.type != "string"),
        *(_missing(column.name) for column in table.columns if not column.nullable and column.name not in guarded),
    ]


def _unreadable(name: str, spark_type: str) -> _Condition:
    message = f"{name} can't be read as {spark_type}"
    return _Condition(TYPE_RULE, name, "error", message, "", _is_listed(name, UNREADABLE))


def _failed(failure: TransformFailure) -> _Condition:
    holds = failure.holds & seldom(_is_judgeable(failure.column))
    return _Condition(failure.rule_id, failure.column, "error", failure.message, "", holds)


def _missing(name: str) -> _Condition:
    holds = F.col(name).isNull() & seldom(_is_judgeable(name))
    return _Condition(NULLABLE_RULE, name, "error", f"{name} is not nullable and has no value", "", holds)


def _is_judgeable(name: str) -> Column:
    """The event authors the column and its text could be read: one fault, one violation."""
    return ~_is_listed(name, c.NOT_AUTHORED) & ~_is_listed(name, UNREADABLE)


def _is_listed(name: str, column: str) -> Column:
    return F.coalesce(F.array_contains(column, name), F.lit(False))
