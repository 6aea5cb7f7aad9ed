"""The settle step of one table on the driver, by DuckDB: few rows take Spark's plans and jobs longer than the work."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

import duckdb
import pyarrow as pa
from pyspark.sql import SparkSession

from fluvial import columns as c
from fluvial.config.locations import TableLocations
from fluvial.config.model import Table
from fluvial.history.range_bounds import RangeBounds
from fluvial.history.settle_query import changes_sql, rewritten_sql, touched_sql
from fluvial.history.settle_templates import CHANGES, FIRST, FRESH, LOG_ROWS, ROW, TOUCHED, VERSIONS
from fluvial.io import delta
from fluvial.io.arrow_files import ArrowFiles, UnsuitedError, stored_file
from fluvial.io.arrow_types import arrow_schema
from fluvial.io.delta_rewrite import Rewrite
from fluvial.io.history_layout import most_in_a_file
from fluvial.io.log_range import Folded, LogRange
from fluvial.io.log_reader import LogReader
from fluvial.io.near_history import NearHistory
from fluvial.io.reason import reason
from fluvial.streams import FILE

_MOST_MEMORY: Final = "1GB"


@dataclass(frozen=True)
class DriverLimits:
    """What a driver settles by itself.

    `waiting` are rows of the log that are to be settled. The others are read of the log, and as much again of the
    history: rows by the statistics of their files, and bytes of memory.
    """

    waiting: int = 200_000
    rows: int = 500_000
    files: int = 500
    bytes: int = 256 * 2**20


@dataclass(frozen=True)
class _Schemas:
    """The columns that are read of the log, and all of the history's."""

    log: pa.Schema
    history: pa.Schema


@dataclass(frozen=True)
class _Found:
    """How many versions change, the files that hold those that are replaced, and what goes into new ones."""

    count: int
    files: Sequence[str]
    rows: pa.Table


@dataclass
class DriverSettle:
    """Folds ranges of the log into a history that is there already."""

    session: SparkSession
    table: Table
    places: TableLocations
    log_reader: LogReader
    near: NearHistory
    limits: DriverLimits = field(default_factory=DriverLimits)

    def __post_init__(self) -> None:
        self._log = ArrowFiles(self.places.log)
        self._history = ArrowFiles(self.places.history, self.session.version)

    @cached_property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        """With one thread: tables are settled side by side. What needs more memory fails, and is left to Spark."""
        connection = duckdb.connect(config={"threads": 1, "memory_limit": _MOST_MEMORY, "temp_directory": ""})
        connection.execute("SET TimeZone = 'UTC'")
        return connection

    def fold(self, rewrite: Rewrite, given: LogRange, note: str) -> Folded:
        """One commit; raises UnsuitedError, before anything is committed, where Spark has to do it.

        That is also where the store refuses this process what it grants Spark, which has credentials of its own.
        """
        try:
            found = self._find(rewrite, given)
            added = self._write(found.rows)
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            raise UnsuitedError(reason(error)) from error
        finally:
            self._forget()
        if not found.count:
            return Folded(0, rewrite.commit_note(note))
        return Folded(found.count, rewrite.replace(found.files, added, note), found.files)

    def _find(self, rewrite: Rewrite, given: LogRange) -> _Found:
        """Nothing is written yet."""
        schemas = self._schemas(rewrite.table, given.log)
        count, files = self._find_changes(rewrite, given, schemas)
        if not count:
            return _Found(0, files, schemas.history.empty_table())
        rows = self._connection.sql(rewritten_sql(self.table, schemas.history.names)).to_arrow_table()
        return _Found(count, files, rows.cast(schemas.history))

    def _find_changes(self, rewrite: Rewrite, given: LogRange, schemas: _Schemas) -> tuple[int, Sequence[str]]:
        """Makes CHANGES; how many they are, and the files that hold what they replace."""
        fresh = self._read(self._log, given.added.files or (), schemas.log)
        self._connection.register(FRESH, fresh)
        self._take_versions(rewrite, given.bounds, schemas.history)
        bounds = self._touch(given.bounds)
        if bounds is None:
            return 0, ()
        if self.table.track_columns:
            self._take_versions(rewrite, bounds, schemas.history)
        is_alone = given.is_all_new(bounds)
        near = () if is_alone else self.log_reader.near_files(given.log, bounds)
        rows = fresh if is_alone else self._read(self._log, near, schemas.log)
        self._connection.register(LOG_ROWS, rows.append_column(ROW, pa.arange(0, rows.num_rows)))
        return self._derive(bounds)

    def _forget(self) -> None:
        for name in (FRESH, LOG_ROWS, VERSIONS):
            self._connection.unregister(name)
        for name in (TOUCHED, CHANGES):
            self._connection.execute(f"DROP TABLE IF EXISTS {name}")

    def _take_versions(self, rewrite: Rewrite, bounds: RangeBounds, schema: pa.Schema) -> None:
        near = self.near.find(rewrite, bounds)
        self._connection.register(VERSIONS, self._read(self._history, near, schema, named=True))

    def _touch(self, bounds: RangeBounds) -> RangeBounds | None:
        """Makes TOUCHED; the bounds go back to where a run of events begins. None where no key is touched."""
        self._connection.execute(f"CREATE TABLE {TOUCHED} AS {touched_sql(self.table, bounds)}")
        (first,) = self._one(f"SELECT min({FIRST}) FROM {TOUCHED}")  # noqa: S608 - constants
        if first is None:
            return None
        return replace(bounds, min_sequence=first) if self.table.track_columns else bounds

    def _derive(self, bounds: RangeBounds) -> tuple[int, Sequence[str]]:
        reads = f"FROM {LOG_ROWS} WHERE {c.OPERATION} = '{c.READ}'"
        (may_repeat,) = self._one(f"SELECT count(*) > 0 {reads}")
        query = changes_sql(self.table, bounds, may_repeat=may_repeat)
        self._connection.execute(f"CREATE TABLE {CHANGES} AS {query}")
        count, files = self._one(f"SELECT count(*), list(DISTINCT {FILE}) FROM {CHANGES}")  # noqa: S608 - constants
        return count, [name for name in files or () if name is not None]

    def _one(self, query: str) -> tuple[Any, ...]:
        """The only row of a query."""
        (row,) = self._connection.execute(query).fetchall()
        return row

    def _read(self, folder: ArrowFiles, files: Sequence[Any], schema: pa.Schema, *, named: bool = False) -> pa.Table:
        """The rows of Delta's AddFiles; `named`, each tells its FILE."""
        if len(files) > self.limits.files:
            raise UnsuitedError(f"{len(files)} files")
        stored = [stored_file(file) for file in files]
        if (count := sum(file.rows for file in stored)) > self.limits.rows:
            raise UnsuitedError(f"{count} rows")
        parts, room = [_named(schema.empty_table(), "") if named else schema.empty_table()], self.limits.bytes
        for file in stored:
            rows = folder.read(file, schema, room)
            room -= rows.nbytes
            parts.append(_named(rows, file.name) if named else rows)
        return pa.concat_tables(parts)

    def _write(self, rows: pa.Table) -> list[Any]:
        """Delta's AddFiles of rows in order, those of open versions first."""
        open_ones, most = rows[c.END_SEQUENCE].null_count, most_in_a_file(rows.num_rows)
        statistics = delta.history_statistics(self.table)
        written = [
            *self._history.write(rows.slice(0, open_ones), {c.IS_CURRENT: "true"}, most, statistics),
            *self._history.write(rows.slice(open_ones), {c.IS_CURRENT: "false"}, most, statistics),
        ]
        return [delta.action_of(self.session, action) for action in written]

    def _schemas(self, history: delta.Snapshot, log: delta.Snapshot) -> _Schemas:
        known, logged = arrow_schema(history.schema_json), arrow_schema(log.schema_json)
        if known is None or logged is None:
            raise UnsuitedError("a column of a type that none of Fluvial's has")
        stored = pa.schema(field for field in known if field.name != c.IS_CURRENT)
        types = {field.name.lower(): field.type for field in (*stored, *logged)}
        names = (*self.table.column_names, *c.DECIDING)
        return _Schemas(pa.schema((name, types[name.lower()]) for name in names), stored)


def _named(rows: pa.Table, file: str) -> pa.Table:
    return rows.append_column(FILE, pa.repeat(pa.scalar(file), rows.num_rows))
