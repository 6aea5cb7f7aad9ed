"""The newest epoch that the logs of a use case hold."""

from pathlib import Path

from fluvial import columns as c
from fluvial.config.locations import Locations
from fluvial.config.model import UseCase
from fluvial.io.delta_files import DeltaSnapshot, read_snapshot, scan_sql
from fluvial.io.lake import connect

_EPOCH_DIGITS = 4


def newest_epoch(use_case: UseCase, lake: Path) -> int | None:
    """The highest epoch of any event of any table; None where nothing was logged yet."""
    locations = Locations(use_case, lake)
    logs = (read_snapshot(locations.table(table).log) for table in use_case.tables)
    found = [newest for log in logs if log is not None and (newest := _newest_sequence(log)) is not None]
    return int(max(found)[:_EPOCH_DIGITS], 16) if found else None


def _newest_sequence(log: DeltaSnapshot) -> str | None:
    with connect() as connection:
        query = f"SELECT max({c.SEQUENCE}) FROM ({scan_sql(connection, log)})"  # noqa: S608 - parts are quoted
        row = connection.execute(query).fetchone()
    return row[0] if row else None
