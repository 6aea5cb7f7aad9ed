"""`restore_events`: quarantined events as they were parsed, with repaired values where there are any."""

from typing import Final, NewType

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fluvial import columns as c
from fluvial.config.model import Table
from fluvial.envelope.parse import is_unauthored, not_authored, text_columns, typed_columns, unreadable_columns
from fluvial.streams import EVENT, IMAGE, KIND, UNREADABLE, ParsedRecords

StoredEvents = NewType("StoredEvents", DataFrame)
"""Quarantine rows with what their gap marker knows (`_not_authored_columns _payload_hash`), and REPAIRS."""

REPAIRS: Final = "_repairs"
"""Repaired texts by column, a map; NULL where the event comes back as it was."""

REPAIRED: Final = "_repaired_columns"
"""Names of the columns that a repair replaces; never NULL."""

_OF_THE_LAKE: Final = "_lake_not_authored"
FIRST_VIOLATIONS: Final = "_first_violations"
"""What the event violated when it was captured."""


def restore_events(stored: StoredEvents, table: Table) -> ParsedRecords:
    """The events at their own place, typed once more; carries REPAIRED and FIRST_VIOLATIONS along.

    Keys are taken as they were stored: a repair can't move an event to another row.
    """
    repairs = F.coalesce(F.col(REPAIRS), F.create_map().cast("map<string,string>"))
    placed = stored.select(
        *table.primary_key,
        *c.POSITION,
        c.PAYLOAD_HASH,
        F.lit(EVENT).alias(KIND),
        _repaired_image(repairs).alias(IMAGE),
        F.col(c.NOT_AUTHORED).alias(_OF_THE_LAKE),
        F.map_keys(repairs).alias(REPAIRED),
        F.col(c.VIOLATIONS).alias(FIRST_VIOLATIONS),
    )
    worded = placed.select("*", *text_columns(table, F.col(IMAGE), F.lit(None).cast("string")))
    told = worded.select("*", not_authored(table, _by_the_gap(table)).alias(c.NOT_AUTHORED))
    typed = told.select("*", *_values(table))
    texts = [name for name in worded.columns if name not in placed.columns]
    return ParsedRecords(typed.select("*", unreadable_columns(table).alias(UNREADABLE)).drop(*texts, _OF_THE_LAKE))


def _repaired_image(repairs: Column) -> Column:
    kept = F.map_filter(c.AFTER_IMAGE, lambda name, _: ~F.array_contains(F.map_keys(repairs), name))
    return F.map_concat(kept, repairs)


def _by_the_gap(table: Table) -> dict[str, Column]:
    """Whether the event says nothing of a masked column: its mask may have hidden a placeholder.

    The gap marker tells it of the columns of the lake that are made from that one alone.
    """

    def is_told(name: str) -> Column:
        made = [lake for lake, found in table.lake_shape.items() if found.sources == {name}]
        lacking = F.arrays_overlap(F.col(_OF_THE_LAKE), F.array(*map(F.lit, made)))
        is_lacking = F.coalesce(lacking, F.lit(False)) if made else is_unauthored(name)
        return ~F.array_contains(REPAIRED, name) & is_lacking

    return {name: is_told(name) for name in sorted(table.masked_columns)}


def _values(table: Table) -> list[Column]:
    """Typed columns outside the key. Masking may have hidden a placeholder, so what isn't authored is NULL by name."""

    def value(name: str, typed: Column) -> Column:
        is_unauthored = F.coalesce(F.array_contains(c.NOT_AUTHORED, name), F.lit(False))
        return F.when(~is_unauthored, typed).alias(name)

    typed_by_name = zip(table.column_names, typed_columns(table), strict=True)
    return [value(name, typed) for name, typed in typed_by_name if name not in table.primary_key]
