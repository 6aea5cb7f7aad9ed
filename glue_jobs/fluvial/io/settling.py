"""Settling by hand: histories brought up to their logs while no stream writes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pyspark.sql import SparkSession

from fluvial.config.locations import Locations
from fluvial.config.model import Table
from fluvial.errors import FluvialError
from fluvial.io.history_writer import HistoryWriter
from fluvial.io.reason import reason


@dataclass(frozen=True)
class SettleReport:
    """What settling one table came to: changed rows of the history, or why it couldn't be settled and what to do."""

    table: str
    changed_versions: int
    error: str = ""


def settle_tables(session: SparkSession, tables: Sequence[Table], locations: Locations) -> list[SettleReport]:
    """Folds everything that waits into the histories; a table that fails keeps no other from its turn."""
    return [_report(table, HistoryWriter(session, table, locations.table(table)).settle) for table in tables]


def _report(table: Table, settle: Callable[[], int]) -> SettleReport:
    try:
        return SettleReport(table.name, settle())
    except FluvialError as error:
        return SettleReport(table.name, 0, str(error))
    except Exception as error:  # noqa: BLE001 - whatever Spark refuses with, it is about this table
        return SettleReport(table.name, 0, reason(error))
