"""The chain, and nothing else: records in, frames for every sink out. `io` holds, calls, writes and releases."""

from dataclasses import dataclass

from pyspark.sql import functions as F

from fluvial.config.model import Table
from fluvial.envelope.derived import change_events
from fluvial.envelope.parse import parse_envelope
from fluvial.envelope.restore import FIRST_VIOLATIONS, REPAIRED, StoredEvents, restore_events
from fluvial.envelope.sequence import EPOCH_FIELD
from fluvial.quality.check import check_rules
from fluvial.quality.check_again import check_again
from fluvial.quality.split import dead_letter_rows, log_rows, quarantine_rows
from fluvial.streams import (
    HAS_ERROR,
    IMAGE,
    BatchContext,
    BatchSummary,
    ChangeEvents,
    CheckedRecords,
    DeadLetters,
    FreshEvents,
    LogRows,
    ParsedRecords,
    Quarantined,
    Records,
)
from fluvial.transforms.apply import (
    Transformed,
    apply_transforms,
    apply_transforms_again,
    filter_rows,
    try_transforms,
)
from fluvial.transforms.authorship import lake_not_authored
from fluvial.transforms.masks import mask_rows


@dataclass(frozen=True)
class BatchOutcome:
    """What a batch's fresh events become."""

    quarantined: Quarantined
    log: LogRows


def check_records(records: Records, table: Table) -> CheckedRecords:
    """Parsed and judged; the frame to hold, because every later step reads it. Only the quarantine wants raw images."""
    tried = try_transforms(parse_envelope(records, table), table)
    checked = check_rules(ParsedRecords(tried.events), table, tried.failures).drop(*tried.working)
    return CheckedRecords(checked.withColumn(IMAGE, F.when(F.col(HAS_ERROR), F.col(IMAGE))))


def take_events(checked: CheckedRecords, summary: BatchSummary, table: Table) -> ChangeEvents:
    """The change events of the batch."""
    events = change_events(checked, table, has_derived=summary.derived_events > 0)
    return ChangeEvents(filter_rows(events, table))


def place_events(fresh: FreshEvents, table: Table, batch: BatchContext) -> BatchOutcome:
    """Fresh events into quarantine rows and log rows."""
    row = F.map_filter(IMAGE, lambda name, _: name != EPOCH_FIELD)
    masked = mask_rows(fresh, table, row)
    quarantined = quarantine_rows(FreshEvents(masked.events), masked.columns, masked.image, batch)
    return BatchOutcome(quarantined, _log_rows(apply_transforms(fresh, table), table, batch))


def _log_rows(transformed: Transformed, table: Table, batch: BatchContext) -> LogRows:
    events = FreshEvents(transformed.events)
    return log_rows(events, transformed.columns, lake_not_authored(table), table, batch)


def check_repaired(stored: StoredEvents, table: Table) -> CheckedRecords:
    """Quarantined events, repaired or as they were, judged by today's rules; carries REPAIRED along."""
    tried = try_transforms(restore_events(stored, table), table)
    events = ParsedRecords(tried.events)
    checked = check_again(events, table, tried.failures, F.col(REPAIRED), F.col(FIRST_VIOLATIONS))
    return CheckedRecords(filter_rows(checked.drop(*tried.working), table))


def place_repaired(fresh: FreshEvents, table: Table, batch: BatchContext) -> LogRows:
    """Log rows of events that left the quarantine.

    Stored texts are masked already; masks run once more, because masking twice is masking once, and because a column
    may have become a masked one since. Tokens and ciphertexts are the exception.
    """
    return _log_rows(apply_transforms_again(fresh, table, F.col(REPAIRED)), table, batch)


def place_dead_letters(checked: CheckedRecords, table: Table, batch: BatchContext) -> DeadLetters:
    """The records that can't be change events; raw bytes are withheld where the table masks columns."""
    is_raw = table.dead_letter_payload == "raw" or (table.dead_letter_payload == "auto" and not table.masked_columns)
    return dead_letter_rows(checked, table.name, not is_raw, batch)
