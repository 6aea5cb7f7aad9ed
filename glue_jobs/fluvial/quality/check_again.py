"""`check_again`: the rules once more, for events whose masked values can't be judged any longer."""

from collections.abc import Sequence
from typing import Final

from pyspark.sql import Column
from pyspark.sql import functions as F

from fluvial import columns as c
from fluvial.config.model import Table
from fluvial.quality.check import NULLABLE_RULE, TYPE_RULE, VIOLATIONS_TYPE, check_rules
from fluvial.streams import HAS_ERROR, UNREADABLE, CheckedRecords, ParsedRecords, TransformFailure

_UNAUTHORED: Final = "_told_not_authored"


def check_again(
    records: ParsedRecords, table: Table, failures: Sequence[TransformFailure], repaired: Column, first: Column
) -> CheckedRecords:
    """As `check_rules`; a masked column that isn't among the `repaired` names keeps its verdict from `first`.

    Its stored text says nothing of the raw one: a masked address breaks every pattern for addresses. Such a violation
    ends only with a repaired value, or with a configuration that no longer has the rule or only warns.
    """
    if not table.masked_columns:
        return check_rules(records, table, failures)
    hidden = F.array_except(F.array(*map(F.lit, sorted(table.masked_columns))), repaired)
    unjudged = F.array_union(F.coalesce(F.col(c.NOT_AUTHORED), F.array()), hidden)
    veiled = records.withColumn(_UNAUTHORED, F.col(c.NOT_AUTHORED)).withColumn(c.NOT_AUTHORED, unjudged)
    veiled = veiled.withColumn(UNREADABLE, F.array_except(UNREADABLE, hidden))
    checked = check_rules(ParsedRecords(veiled), table, failures)
    rules = [*_masked_rules(table), *{failure.rule_id for failure in failures}]
    kept = F.filter(first, lambda violation: _is_kept(violation, hidden, rules))
    return CheckedRecords(
        checked.select(
            *(name for name in checked.columns if name not in (c.VIOLATIONS, HAS_ERROR, c.NOT_AUTHORED, _UNAUTHORED)),
            F.col(_UNAUTHORED).alias(c.NOT_AUTHORED),
            F.array_union(_or_empty(kept), _or_empty(F.col(c.VIOLATIONS))).cast(VIOLATIONS_TYPE).alias(c.VIOLATIONS),
            (F.col(HAS_ERROR) | _has_error(kept, table)).alias(HAS_ERROR),
        )
    )


def _is_kept(violation: Column, hidden: Column, rule_ids: list[str]) -> Column:
    return F.array_contains(hidden, violation["column"]) & violation["rule_id"].isin(rule_ids)


def _has_error(kept: Column, table: Table) -> Column:
    """By the severity that the rule has now."""
    warnings = [rule.id for rule in table.dq_rules if rule.severity != "error"]
    return F.coalesce(F.exists(kept, lambda violation: ~violation["rule_id"].isin(warnings)), F.lit(False))


def _masked_rules(table: Table) -> list[str]:
    """Ids of today's rules for masked columns and of the schema's own: a text that can't be read is hidden whole."""
    masked = table.masked_columns
    required = any(column.name in masked and not column.nullable for column in table.columns)
    return [rule.id for rule in table.dq_rules if rule.column in masked] + [NULLABLE_RULE] * required + [TYPE_RULE]


def _or_empty(violations: Column) -> Column:
    return F.coalesce(violations, F.array().cast(VIOLATIONS_TYPE))
