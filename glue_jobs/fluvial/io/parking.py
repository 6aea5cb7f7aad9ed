"""Which tables are parked; every change is on disk before it counts."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import RLock
from typing import Final

import structlog

from fluvial.errors import StorageError
from fluvial.io.broker_offsets import advice
from fluvial.io.parked import BatchId, ParkedTable, Share, from_json, to_json
from fluvial.io.state_files import LocalFiles, StateFiles

_UNREADABLE: Final = (ValueError, KeyError, TypeError)
_log = structlog.get_logger()


@dataclass
class Parking:
    """The parked tables of one lane. Its micro-batches and the retries may use it from two threads.

    `draw` gives a random number from 0 to 1; shares of more than `most_records` records aren't put together.
    """

    files: StateFiles
    lane: str
    most_records: int
    draw: Callable[[], float] = random.random
    _known: dict[str, ParkedTable | None] = field(default_factory=dict, init=False)
    _lock: RLock = field(default_factory=RLock, init=False)

    def find(self, table: str) -> ParkedTable | None:
        """What is known of a table that is parked, or was once."""
        with self._lock:
            if table not in self._known:
                self._known[table] = read_parked(self.files, table)
            return self._known[table]

    def mend(self, tables: Iterable[str], now: datetime) -> None:
        """Stops each table whose file can't be read, and keeps the file beside it: no other table has to wait for it.

        Raises StorageError where that can't be written.
        """
        with self._lock:
            for table in tables:
                if table in self._known or _is_readable(self.files, table):
                    continue
                kept = self.files.copy_aside(table)
                self._known[table] = None
                what = f"the file that says what waited for {table} can't be read and is kept as {kept}"
                self.stop(table, f"{what}; {advice(table)}", now)

    def concerns(self, table: str, batch: BatchId) -> bool:
        """Whether the table is parked, or its share of that micro-batch has already been dealt with here."""
        with self._lock:
            parked = self.find(table)
            return parked is not None and (parked.is_parked or parked.has_taken(batch))

    def takes(self, table: str, share: Share) -> bool:
        """Whether the table's share of a micro-batch has to wait, or has already been dealt with here."""
        with self._lock:
            if not self.concerns(table, share.batch):
                return False
            parked = self._must(table)
            if not parked.has_taken(share.batch):
                self._write(parked.with_share(share, self.most_records))
            return True

    def park(self, table: str, share: Share, error: str, now: datetime) -> None:
        """Puts a share aside that could not be written, or not wholly."""
        with self._lock:
            parked = self._new(table, error, now)
            tried = replace(share, is_tried=True)
            self._write(replace(parked, shares=(tried,)).failed(error, now, self.draw()))
        _log.error("table parked", table=table, lane=self.lane, records=share.records, error=error)

    def stop(self, table: str, reason: str, now: datetime) -> None:
        """Nothing of the table is written any more until somebody has decided what to do."""
        self._stop(table, reason, now, is_open=False)

    def open_circuit(self, table: str, reason: str, now: datetime) -> None:
        """The same where nothing is missing, and too much of what came is bad."""
        self._stop(table, reason, now, is_open=True)

    def _stop(self, table: str, reason: str, now: datetime, *, is_open: bool) -> None:
        with self._lock:
            known = self.find(table)
            parked = known if known is not None and known.is_parked else self._new(table, reason, now)
            self._write(parked.stopped(reason, is_open=is_open))
        _log.error("table stopped", table=table, lane=self.lane, error=reason)

    def resume(self, table: str, now: datetime, *, accepts_bad: bool = False) -> ParkedTable:
        """Goes on with a stopped table; raises StorageError where it isn't stopped."""
        with self._lock:
            parked = self.find(table)
            if parked is None or not parked.stop:
                raise StorageError(f"{table} isn't stopped", "`fluvial parked list` shows what waits, and why")
            return self._write(parked.resumed(now, accepts_bad=accepts_bad))

    def due(self, tables: Iterable[str], now: datetime) -> list[str]:
        """Tables whose next try is now."""
        found = ((table, self.find(table)) for table in tables)
        return [table for table, parked in found if parked is not None and parked.is_due(now)]

    def begin(self, table: str) -> Share | None:
        """The oldest share, about to be written; None where nothing waits."""
        with self._lock:
            parked = self.find(table)
            if parked is None or not parked.shares:
                return None
            if not parked.shares[0].is_tried:
                parked = self._write(parked.begun())
            return parked.shares[0]

    def fail(self, table: str, error: str, now: datetime) -> None:
        """The try did not succeed."""
        with self._lock:
            parked = self._write(self._must(table).failed(error, now, self.draw()))
        until = parked.next_try.isoformat(timespec="seconds")
        _log.error("parked table failed again", table=table, attempts=parked.attempts, next_try=until, error=error)

    def advance(self, table: str, now: datetime) -> ParkedTable:
        """The oldest share is written."""
        with self._lock:
            parked = self._write(self._must(table).advanced(now))
        if not parked.is_parked:
            _log.info("table has caught up", table=table, lane=self.lane)
        return parked

    def _must(self, table: str) -> ParkedTable:
        parked = self.find(table)
        if parked is None:
            raise StorageError(f"{table} isn't parked", "please report this as a bug")
        return parked

    def _new(self, table: str, error: str, now: datetime) -> ParkedTable:
        known = self.find(table)
        done: BatchId | None = known.done if known else None
        return ParkedTable(table, self.lane, now, error, now, done=done)

    def _write(self, parked: ParkedTable) -> ParkedTable:
        parked = replace(parked, lane=self.lane)  # it may have moved since
        self.files.write(parked.table, to_json(parked))
        self._known[parked.table] = parked
        return parked


def read_parked(files: StateFiles, table: str) -> ParkedTable | None:
    """What the file of a table says; raises StorageError where it can't be read."""
    try:
        return _parse(files, table)
    except _UNREADABLE as error:
        message = f"the file that says what waits for {table} can't be read: {error}"
        hint = "it lies in `parked` of the checkpoint: put it back from a copy, or let `fluvial up` stop the table"
        raise StorageError(message, hint) from error


def _is_readable(files: StateFiles, table: str) -> bool:
    try:
        _parse(files, table)
    except _UNREADABLE:
        return False
    return True


def _parse(files: StateFiles, table: str) -> ParkedTable | None:
    text = files.read(table)
    return from_json(text) if text is not None else None


def read_parked_tables(folder: str) -> tuple[ParkedTable, ...]:
    """Every table that is parked now, from the folder of a local lake, by name."""
    files = LocalFiles(folder)
    found = (read_parked(files, name) for name in files.names())
    return tuple(parked for parked in found if parked is not None and parked.is_parked)
