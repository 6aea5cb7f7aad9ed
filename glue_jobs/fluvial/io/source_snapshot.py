"""A PostgreSQL database as of one position in its write-ahead log, while writes go on."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.conninfo import make_conninfo

from fluvial.errors import SourceError

_LSN_HALF: Final = 8
_PATIENCE: Final = "60s"
_NEEDS: Final = "a snapshot needs wal_level = logical, a free replication slot and a role with REPLICATION"
_ABOUT_TABLES: Final = (
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.UndefinedFunction,
    psycopg.errors.CannotCoerce,
    psycopg.errors.DatatypeMismatch,
    psycopg.DataError,
)


@dataclass(frozen=True)
class SourceSnapshot:
    """What is visible: every transaction that committed before `high`; `low` precedes all changes of running ones.

    Positions are 16 hexadecimal digits, as in a sequence.
    """

    connection: psycopg.Connection[Any]
    low: str
    high: str

    def read(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return self.connection.execute(sql.encode()).fetchall()

    def copy_to(self, sql: str, path: Path) -> None:
        """Writes a query's rows as CSV, whose NULL is unquoted."""
        copy = f"copy ({sql}) to stdout (format csv, null '\\N')"
        with self.connection.cursor() as cursor, path.open("wb") as file, cursor.copy(copy.encode()) as chunks:
            file.writelines(chunks)


@contextmanager
def open_source_snapshot(dsn: str) -> Iterator[SourceSnapshot]:
    """Opens a snapshot through a temporary logical slot, which PostgreSQL drops with the connection.

    Raises SourceError where the server refuses, or a transaction stays open for longer than a minute.
    """
    try:
        with psycopg.connect(make_conninfo(dsn, replication="database"), autocommit=True) as connection:
            yield _begin(connection)
    except psycopg.errors.LockNotAvailable as error:
        raise SourceError(
            f"a transaction has been open for {_PATIENCE}, so no snapshot can be taken", "end it; see pg_stat_activity"
        ) from error
    except psycopg.Error as error:
        of_tables = isinstance(error, _ABOUT_TABLES)
        hint = "compare the table with tables.yaml: `fluvial validate --live`" if of_tables else _NEEDS
        raise SourceError(f"PostgreSQL: {str(error).strip().splitlines()[0]}", hint) from error


def _begin(connection: psycopg.Connection[Any]) -> SourceSnapshot:
    # A replication connection speaks the simple protocol alone: no parameters anywhere here.
    slot = f"fluvial_verify_{os.getpid()}"
    connection.execute("set timezone = 'UTC'; set datestyle = 'ISO'; set extra_float_digits = 1")
    connection.execute(f"set lock_timeout = '{_PATIENCE}'")
    connection.execute("begin isolation level repeatable read read only")
    connection.execute(f"CREATE_REPLICATION_SLOT {slot} TEMPORARY LOGICAL pgoutput (SNAPSHOT 'use')")
    positions = "select restart_lsn::text, confirmed_flush_lsn::text from pg_replication_slots where slot_name = "
    row = connection.execute(f"{positions}'{slot}'").fetchone()
    if row is None:
        raise SourceError("PostgreSQL dropped the snapshot's slot at once", "see the server's log")
    return SourceSnapshot(connection, _position(row[0]), _position(row[1]))


def _position(lsn: str) -> str:
    high, low = lsn.split("/")
    return f"{high:0>{_LSN_HALF}}{low:0>{_LSN_HALF}}"
