"""`measure_metrics`: aggregate Columns for one `observe()`, and what their values mean against the thresholds.

The names follow Deequ's analyzers. Uniqueness is approximate (HyperLogLog, about 2 % off): distinct values over values.
Compliance is the share of rows that keep every rule of the column.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pyspark.sql import Column
from pyspark.sql import functions as F

from fluvial import columns as c
from fluvial.config.model import DeequCheck, Table
from fluvial.streams import EVENT, KIND

_SIZE: Final = "size"
_PREFIX: Final = "metric"


@dataclass(frozen=True)
class Measurement:
    """One metric of one batch, and whether it broke its threshold (None where it has none)."""

    metric: str
    column: str | None
    value: float
    threshold: float | None = None
    severity: str | None = None

    @property
    def is_breach(self) -> bool:
        """Whether the value lies below the threshold."""
        return self.threshold is not None and self.value < self.threshold


def measure_metrics(table: Table) -> list[Column]:
    """Aggregates over CheckedRecords, one for each metric, named `metric|<metric>|<column>`."""
    has_row = _has_row()
    size = F.count(F.when(has_row, 1)).alias(f"{_PREFIX}|{_SIZE}|")
    checks = {(check.metric, check.column): check for check in table.deequ_checks if check.metric != _SIZE}
    return [size, *(_aggregate(check) for check in checks.values()), *(_rule_failures(table))]


def _has_row() -> Column:
    return (F.col(KIND) == EVENT) & F.col(c.OPERATION).isin(c.INSERT, c.UPDATE, c.READ)


def _aggregate(check: DeequCheck) -> Column:
    """Share of rows, as a double; NULL where the batch has no row with the column."""
    value = F.col(check.column or "")
    authored = _has_row() & ~F.coalesce(F.array_contains(c.NOT_AUTHORED, check.column), F.lit(False))
    breaks = F.coalesce(F.array_contains(F.col(c.VIOLATIONS)["column"], check.column or ""), F.lit(False))
    shares = {
        "completeness": F.avg(F.when(authored, value.isNotNull().cast("double"))),
        "compliance": F.avg(F.when(authored, (~breaks).cast("double"))),
        "uniqueness": F.least(
            F.lit(1.0), F.approx_count_distinct(F.when(authored, value), 0.02) / F.count(F.when(authored, value))
        ),
    }
    return shares[check.metric].alias(f"{_PREFIX}|{check.metric}|{check.column}")


def _rule_failures(table: Table) -> list[Column]:
    def failures(rule_id: str) -> Column:
        failed = F.array_contains(F.col(c.VIOLATIONS)["rule_id"], rule_id)
        return F.count(F.when(failed, 1)).alias(f"{_PREFIX}|rule_failures|{rule_id}")

    return [failures(rule.id) for rule in table.dq_rules]


def read_measurements(table: Table, observed: Mapping[str, float | int | None]) -> tuple[Measurement, ...]:
    """The observed aggregates as measurements; a metric without a value (no row to measure) is left out."""
    thresholds = {(str(check.metric), check.column or ""): check for check in table.deequ_checks}
    found = []
    for name, value in observed.items():
        prefix, _, rest = name.partition("|")
        metric, _, column = rest.partition("|")
        if prefix == _PREFIX and value is not None:
            check = thresholds.get((metric, column)) or thresholds.get((metric, ""))
            limit = (check.threshold, check.severity) if check else (None, None)
            found.append(Measurement(metric, column or None, float(value), *limit))
    return tuple(found)
