"""The chain, and nothing else: records in, frames for every sink out. `io` holds, calls, writes and releases."""

from pyspark.sql import Column
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


def check_records(records: Records, table: Table) -> CheckedRecords:
    """Parsed and judged; the frame to hold, because every later step reads it. Only the quarantine wants raw images."""
    tried = try_transforms(parse_envelope(records, table), table)
    checked = check_rules(ParsedRecords(tried.events), table, tried.failures).drop(*tried.working)
    return CheckedRecords(checked.withColumn(IMAGE, F.when(F.col(HAS_ERROR), F.col(IMAGE))))


def take_events(checked: CheckedRecords, table: Table, *, has_derived: bool) -> ChangeEvents:
    """The change events of the batch, and what they imply where any implies something."""
    return ChangeEvents(filter_rows(change_events(checked, table, has_derived), table))


def place_quarantined(fresh: FreshEvents, table: Table) -> Quarantined:
    """The quarantine rows of fresh events that carry their batch.

    Where columns are masked, or have to be classified, nothing is stored of one that nobody configured.
    """

    def is_shown(name: Column, _: Column) -> Column:
        is_strict = table.sensitive or table.masked_columns
        return name.isin(*table.column_names) if is_strict else name != EPOCH_FIELD

    masked = mask_rows(fresh, table, F.map_filter(IMAGE, is_shown))
    return quarantine_rows(FreshEvents(masked.events), masked.columns, masked.image)


def place_log(fresh: FreshEvents, table: Table) -> LogRows:
    """The log rows of fresh events that carry their batch: one each, a gap marker for one that is quarantined."""
    return _log_rows(apply_transforms(fresh, table), table)


def _log_rows(transformed: Transformed, table: Table) -> LogRows:
    return log_rows(FreshEvents(transformed.events), transformed.columns, lake_not_authored(table), table)


def check_repaired(stored: StoredEvents, table: Table) -> CheckedRecords:
    """Quarantined events, repaired or as they were, judged by today's rules; carries REPAIRED along."""
    tried = try_transforms(restore_events(stored, table), table)
    events = ParsedRecords(tried.events)
    checked = check_again(events, table, tried.failures, F.col(REPAIRED), F.col(FIRST_VIOLATIONS))
    return CheckedRecords(filter_rows(checked.drop(*tried.working), table))


def place_repaired(fresh: FreshEvents, table: Table) -> LogRows:
    """Log rows of events that left the quarantine and carry their batch.

    Stored texts are masked already; masks run once more, because masking twice is masking once, and because a column
    may have become a masked one since. Tokens and ciphertexts are the exception.
    """
    return _log_rows(apply_transforms_again(fresh, table, F.col(REPAIRED)), table)


def place_dead_letters(checked: CheckedRecords, table: Table, batch: BatchContext) -> DeadLetters:
    """The records that can't be change events; raw bytes are withheld where the table masks columns."""
    is_raw = table.dead_letter_payload == "raw" or (table.dead_letter_payload == "auto" and not table.masked_columns)
    return dead_letter_rows(checked, table.name, not is_raw, batch)
