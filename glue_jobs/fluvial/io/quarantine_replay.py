"""Puts repaired events of the quarantine into the log at their own sequence, and settles what they change."""

import operator
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from typing import Final

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from fluvial import columns as c
from fluvial.config.locations import Locations, TableLocations
from fluvial.config.model import Table
from fluvial.envelope.restore import REPAIRED, REPAIRS, StoredEvents
from fluvial.envelope.values import read_value
from fluvial.history.deduplicate import drop_repeats, is_fresh, mark_known, take_fresh
from fluvial.io import delta
from fluvial.io.commits import batch_note
from fluvial.io.history_writer import HistoryWriter
from fluvial.io.observed import Aggregates
from fluvial.io.repairs_file import Repair
from fluvial.io.replay_selection import Selection, is_chosen, require_all, require_known, require_none
from fluvial.io.secrets import keys_of, with_keys
from fluvial.micro_batch import check_repaired, place_repaired
from fluvial.quality.check import rule_version
from fluvial.quality.gap_markers import with_gap_markers
from fluvial.quality.split import carry_batch
from fluvial.streams import HAS_ERROR, IS_DERIVED, BatchContext, ChangeEvents, LogRows

REPLAY: Final = "quarantine-replay-"
"""What the id of a run begins with: the log names it where it names the query of a streamed event."""
REPLAYED: Final = "replayed"
KNOWN: Final = "replayed before"
VIOLATES: Final = "still violates"
_OUTCOME: Final = "_outcome"
_STILL_BAD: Final = "_still_bad"
_LISTED: Final = 20


@dataclass(frozen=True)
class Refused:
    """An event that stays in quarantine, and why."""

    key: str
    sequence: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class ReplayReport:
    """What a run did: numbers of events by outcome, the first of those that stay, and changed rows of the history."""

    replay_id: str
    replayed: int
    replayed_before: int
    still_violating: int
    refused: tuple[Refused, ...]
    changed_versions: int


@dataclass(frozen=True)
class _Selected:
    """Events to judge, and the range of sequences that they lie in."""

    events: StoredEvents
    lowest: str
    highest: str


@dataclass(frozen=True)
class QuarantineReplayer:
    """Replays into one table. No other process may write the table meanwhile; `clock` gives the time in UTC."""

    session: SparkSession
    table: Table
    locations: Locations
    replayed_by: str
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def replay(self, selection: Selection) -> ReplayReport:
        """Judges the selected events by today's rules and logs those that pass.

        Raises FluvialError where something selected isn't there, or where a stranger changed log or history. A run that
        logs nothing writes nothing. The audit comes before the log, so that no change lacks its record.
        """
        context = BatchContext(f"{REPLAY}{uuid.uuid4()}", 0, self.clock())
        history = HistoryWriter(self.session, self.table, self._places)
        history.watch.look()  # what a stranger did to log or history is told before anything is added
        selected = self._select(selection)
        if selected is None:
            return ReplayReport(context.query_id, 0, 0, 0, (), 0)
        held, counts = delta.checkpoint_counted(self._judge(selected, context), Aggregates(_count_outcomes()))
        if counts[REPLAYED]:
            self._write(held, context)
        changed = history.settle()
        refused = self._refused(held) if counts[VIOLATES] else ()
        return ReplayReport(context.query_id, counts[REPLAYED], counts[KNOWN], counts[VIOLATES], refused, changed)

    @property
    def _places(self) -> TableLocations:
        return self.locations.table(self.table)

    def _select(self, selection: Selection) -> _Selected | None:
        """The selected events with their gap markers; None where none was logged yet."""
        quarantine = delta.read_if_exists(self.session, self._places.quarantine)
        if quarantine is None or not delta.exists(self.session, self._places.log):
            require_none(selection, self.table)
            return None
        require_known(selection, quarantine, self.table)
        repaired = self._with_repairs(quarantine.where(is_chosen(selection)), selection)
        bounds = repaired.agg(F.min(c.SEQUENCE), F.max(c.SEQUENCE)).collect()[0]
        lowest, highest = bounds[0] or "", bounds[1] or ""
        return _Selected(self._with_gaps(repaired, self._log_between(lowest, highest)), lowest, highest)

    def _with_repairs(self, events: DataFrame, selection: Selection) -> DataFrame:
        repairs = selection.repairs
        if not repairs:
            return events.withColumn(REPAIRS, F.lit(None).cast("map<string,string>"))
        frame = self._repairs_frame(repairs)
        key = self.table.primary_key
        same = [events[name] == frame[f"_key_{name}"] for name in key] + [events[c.SEQUENCE] == frame["_at"]]
        together = reduce(operator.and_, same)
        strangers = {row[0] for row in frame.join(events, together, "left_anti").select("_line").collect()}
        require_all([repair for repair in repairs if repair.line in strangers], selection, self.table)
        return events.join(frame, together).select(*(events[name] for name in events.columns), REPAIRS)

    def _repairs_frame(self, repairs: Sequence[Repair]) -> DataFrame:
        """Repairs with their keys typed as the table's."""
        types = {column.name: column.type for column in self.table.columns}
        texts = ", ".join(f"`_text_{name}` string" for name in self.table.primary_key)
        schema = f"_line int, _at string, {REPAIRS} map<string,string>, {texts}"
        rows = [(repair.line, repair.sequence, dict(repair.values), *repair.key.values()) for repair in repairs]
        keys = (
            read_value(F.col(f"_text_{name}"), types[name]).alias(f"_key_{name}") for name in self.table.primary_key
        )
        return self.session.createDataFrame(rows, schema).select("_line", "_at", REPAIRS, *keys)

    def _log_between(self, lowest: str, highest: str) -> DataFrame:
        return delta.read(self.session, self._places.log).where(F.col(c.SEQUENCE).between(lowest, highest))

    def _with_gaps(self, events: DataFrame, log: DataFrame) -> StoredEvents:
        return StoredEvents(with_gap_markers(events, log, self.table, (c.NOT_AUTHORED, c.PAYLOAD_HASH)))

    def _judge(self, selected: _Selected, context: BatchContext) -> DataFrame:
        """Checked events, each once, with their outcome; HAS_ERROR is that of the log row they would become."""
        key = self.table.primary_key
        checked = check_repaired(selected.events, self.table)
        passing = checked.withColumn(_STILL_BAD, F.col(HAS_ERROR)).withColumn(HAS_ERROR, F.lit(False))
        events = drop_repeats(ChangeEvents(passing.withColumn(IS_DERIVED, F.lit(False))), key)
        log = self._log_between(selected.lowest, selected.highest).where(~F.col(c.IS_QUARANTINED))
        marked = mark_known(events, LogRows(log), key, context)
        outcome = F.when(~is_fresh(), KNOWN).when(F.col(_STILL_BAD), VIOLATES).otherwise(REPLAYED)
        return marked.withColumn(_OUTCOME, outcome)

    def _write(self, held: DataFrame, context: BatchContext) -> None:
        delta.append(self._audit_rows(held, context).coalesce(1), self.locations.quarantine_replays)
        fresh = take_fresh(with_keys(held.where(F.col(_OUTCOME) == REPLAYED), keys_of(self.table, self.session)))
        note = batch_note(context.query_id, context.batch_id)
        delta.append(place_repaired(carry_batch(fresh, context), self.table), self._places.log, note=note)

    def _audit_rows(self, held: DataFrame, context: BatchContext) -> DataFrame:
        versions = [F.lit(text) for rule in self.table.dq_rules for text in (rule.id, rule_version(rule))]
        failed = F.transform(_errors(), lambda violation: violation["rule_id"])
        return held.select(
            F.lit(context.query_id).alias("replay_id"),
            F.lit(self.table.name).alias("table"),
            self._key_text().alias("key"),
            *(F.col(name).alias(name.removeprefix("_")) for name in c.PLACE),
            F.col(_OUTCOME).alias("outcome"),
            F.when(F.col(_OUTCOME) == VIOLATES, failed).alias("failed_rules"),
            F.col(REPAIRED).alias("repaired_columns"),
            F.create_map(*versions).cast("map<string,string>").alias("rule_versions"),
            F.lit(self.replayed_by).alias("replayed_by"),
            F.lit(context.processed_at).alias("replayed_at"),
        )

    def _key_text(self) -> Column:
        parts = (F.concat(F.lit(f"{name}="), F.col(name).cast("string")) for name in self.table.primary_key)
        return F.concat_ws(", ", *parts)

    def _refused(self, held: DataFrame) -> tuple[Refused, ...]:
        reasons = F.transform(
            _errors(), lambda violation: F.concat_ws(": ", violation["rule_id"], violation["message"])
        )
        stays = held.where(F.col(_OUTCOME) == VIOLATES).select(self._key_text(), c.SEQUENCE, reasons)
        return tuple(
            Refused(key, at, tuple(why)) for key, at, why in stays.orderBy(c.SEQUENCE).limit(_LISTED).collect()
        )


def _errors() -> Column:
    return F.filter(c.VIOLATIONS, lambda violation: violation["severity"] == "error")


def _count_outcomes() -> list[Column]:
    return [F.count(F.when(F.col(_OUTCOME) == outcome, 1)).alias(outcome) for outcome in (REPLAYED, KNOWN, VIOLATES)]
