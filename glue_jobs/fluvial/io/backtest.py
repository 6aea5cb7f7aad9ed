"""What rules would have quarantined, on the events that the log and the quarantine hold; by the stream's own rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pyspark.sql import Column, DataFrame, Row, SparkSession, Window
from pyspark.sql import functions as F

from fluvial import columns as c
from fluvial.config.locations import TableLocations
from fluvial.config.model import Table
from fluvial.envelope.restore import REPAIRS, StoredEvents, restore_events
from fluvial.io import delta
from fluvial.plan.backtesting import Precision, Trial
from fluvial.quality.check import check_rules
from fluvial.quality.gap_markers import with_gap_markers
from fluvial.streams import EVENT, KIND, UNREADABLE, CheckedRecords, ParsedRecords

SAMPLES: Final = 5
_WAS_QUARANTINED: Final = "_was_quarantined"
_JUDGED: Final = "_judged"
_RULE: Final = "_rule"


@dataclass(frozen=True)
class Sample:
    """One event that breaks the rule: its key as text, and its sequence."""

    key: str
    sequence: str


@dataclass(frozen=True)
class RuleBacktest:
    """A rule's outcome: `violating` of the `judged` events break it, `already` of which are in quarantine anyway."""

    table: str
    rule_id: str
    severity: str
    precision: str
    reason: str
    judged: int
    violating: int
    already: int
    samples: tuple[Sample, ...]

    @property
    def share(self) -> float:
        """Of the judged events, those that break the rule."""
        return self.violating / self.judged if self.judged else 0.0

    @property
    def newly(self) -> int:
        """Events that are valid today and would not have been, had the rule been an `error` from the start."""
        return self.violating - self.already


def backtest_rules(
    session: SparkSession, table: Table, places: TableLocations, trials: Sequence[Trial]
) -> tuple[RuleBacktest, ...]:
    """Tries every rule that can be tried, in two passes over the stored events."""
    possible = {trial.rule_id for trial in trials if trial.precision is not Precision.IMPOSSIBLE}
    rules = tuple(rule for rule in table.dq_rules if rule.id in possible)
    events = _stored_events(session, table, places)
    if not rules or events is None:
        return tuple(_outcome(table, trial, None, ()) for trial in trials)
    checked = check_rules(events, table.model_copy(update={"dq_rules": rules}))
    counts = checked.agg(*_counts(sorted(possible))).collect()[0]
    samples = _samples(checked, table, sorted(possible))
    return tuple(_outcome(table, trial, counts, samples) for trial in trials)


def _stored_events(session: SparkSession, table: Table, places: TableLocations) -> ParsedRecords | None:
    """Valid events from the log, the others from the quarantine, where they are as the source wrote them."""
    log = delta.read_if_exists(session, places.log)
    if log is None:
        return None
    upserts = F.col(c.OPERATION).isin(c.INSERT, c.UPDATE, c.READ)
    valid = log.where(upserts & ~F.col(c.IS_QUARANTINED)).select(*_columns(log, table), *_told(is_quarantined=False))
    quarantine = delta.read_if_exists(session, places.quarantine)
    return ParsedRecords(valid if quarantine is None else valid.unionByName(_held(quarantine, log, table)))


def _columns(log: DataFrame, table: Table) -> list[Column]:
    """What a rule may look at; a column that no event had yet is NULL."""
    known = {name.lower() for name in log.columns}
    values = (
        F.col(column.name) if column.name.lower() in known else F.lit(None).cast(column.type).alias(column.name)
        for column in table.columns
    )
    unreadable = F.lit(None).cast("array<string>").alias(UNREADABLE)
    return [*values, F.col(c.OPERATION), F.col(c.SEQUENCE), F.col(c.NOT_AUTHORED), unreadable]


def _held(quarantine: DataFrame, log: DataFrame, table: Table) -> DataFrame:
    """Events that wait in quarantine; one that was replayed is in the log and counts there."""
    held = with_gap_markers(quarantine, log, table, (c.NOT_AUTHORED, c.PAYLOAD_HASH))
    replayed = log.where(~F.col(c.IS_QUARANTINED)).select(*table.primary_key, c.SEQUENCE)
    waiting = held.join(replayed, [*table.primary_key, c.SEQUENCE], "left_anti")
    restored = restore_events(StoredEvents(waiting.withColumn(REPAIRS, F.lit(None).cast("map<string,string>"))), table)
    return restored.select(
        *(F.col(name) for name in table.column_names),
        *(F.col(name) for name in (c.OPERATION, c.SEQUENCE, c.NOT_AUTHORED, UNREADABLE)),
        *_told(is_quarantined=True),
    )


def _told(*, is_quarantined: bool) -> list[Column]:
    return [F.lit(EVENT).alias(KIND), F.lit(is_quarantined).alias(_WAS_QUARANTINED)]


def _counts(rule_ids: Sequence[str]) -> list[Column]:
    """How many events there are, and for each rule how many break it, and how many of those wait already."""
    breaks = {rule_id: _breaks(rule_id) for rule_id in rule_ids}
    return [
        F.count(F.lit(1)).alias(_JUDGED),
        *(F.count(F.when(broken, 1)).alias(f"{rule_id}/violating") for rule_id, broken in breaks.items()),
        *(
            F.count(F.when(broken & F.col(_WAS_QUARANTINED), 1)).alias(f"{rule_id}/already")
            for rule_id, broken in breaks.items()
        ),
    ]


def _breaks(rule_id: str) -> Column:
    return F.exists(c.VIOLATIONS, lambda violation: violation["rule_id"] == rule_id)


def _samples(checked: CheckedRecords, table: Table, rule_ids: Sequence[str]) -> list[Row]:
    """The newest events that break each rule."""
    key = F.concat_ws(", ", *(F.concat(F.lit(f"{name}="), F.col(name).cast("string")) for name in table.primary_key))
    broken = checked.select(key.alias("key"), c.SEQUENCE, F.explode(c.VIOLATIONS).alias("violation"))
    named = broken.select("key", c.SEQUENCE, F.col("violation")["rule_id"].alias(_RULE))
    newest = F.row_number().over(Window.partitionBy(_RULE).orderBy(F.col(c.SEQUENCE).desc(), "key"))
    ranked = named.where(F.col(_RULE).isin(*rule_ids)).withColumn("rank", newest)
    return ranked.where(F.col("rank") <= SAMPLES).orderBy(_RULE, "rank").collect()


def _outcome(table: Table, trial: Trial, counts: Row | None, samples: Sequence[Row]) -> RuleBacktest:
    rule = next(rule for rule in table.dq_rules if rule.id == trial.rule_id)
    is_tried = counts is not None and trial.precision is not Precision.IMPOSSIBLE
    found: dict[str, Any] = counts.asDict() if counts is not None and is_tried else {}
    return RuleBacktest(
        table.name,
        trial.rule_id,
        rule.severity,
        trial.precision.value,
        trial.reason,
        found.get(_JUDGED, 0),
        found.get(f"{trial.rule_id}/violating", 0),
        found.get(f"{trial.rule_id}/already", 0),
        tuple(Sample(row["key"], row[c.SEQUENCE]) for row in samples if row[_RULE] == trial.rule_id),
    )
