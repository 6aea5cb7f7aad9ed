"""Writes what the generator makes into the embedded PostgreSQL, in real transactions."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from fluvial.config.model import UseCase
from fluvial.errors import SourceError
from fluvial.generate.changes import Generator
from fluvial.generate.scenario import Scenario
from fluvial.generate.statements import Transaction, to_sql
from fluvial.generate.summary import Summary
from fluvial.local.endpoints import Endpoints
from fluvial.local.existing_rows import read_existing_rows
from fluvial.local.source_database import Connection, connect, friendly_errors

DEFAULT_BURST_ROWS: Final = 1_000
DEFAULT_SECONDS: Final = 60.0
_LONGEST_NAP_SECONDS: Final = 0.5

Progress = Callable[[Summary], None]
"""Told of the running totals after each transaction."""


class Mode(StrEnum):
    """What `fluvial generate` does."""

    SEED = "seed"
    GENERATE = "generate"
    BURST = "burst"


@dataclass(frozen=True)
class GenerationRequest:
    """How much to write: `rows` changed rows, for `seconds`; None leaves it to the mode."""

    mode: Mode
    seed: int = 42
    rows: int | None = None
    seconds: float | None = None
    changes_per_second: float | None = None
    with_violations: bool = True


def generate_rows(
    use_case: UseCase,
    scenario: Scenario,
    endpoints: Endpoints,
    request: GenerationRequest,
    progress: Progress = lambda _: None,
) -> Summary:
    """Seeds, trickles or bursts. Ctrl-C ends it early: the current transaction is rolled back and not counted."""
    summary, start = Summary(), time.monotonic()
    database = use_case.database_name
    with connect(endpoints, database) as connection, friendly_errors(database):
        _lock(connection)
        existing = read_existing_rows(connection, use_case, scenario)
        life = scenario if request.with_violations else scenario.without_violations()
        generator = Generator(use_case, life, request.seed, existing)
        pace = request.changes_per_second or scenario.changes_per_second
        schema = use_case.source_database.schema_name
        with suppress(KeyboardInterrupt), _fast_commits(connection, request.mode):
            for transaction in _timed(_transactions(generator, request), request, pace):
                _apply(connection, schema, transaction)
                summary.add(transaction)
                summary.seconds = time.monotonic() - start
                progress(summary)
    summary.seconds = time.monotonic() - start
    return summary


def _lock(connection: Connection) -> None:
    """Two generators would invent the same keys; the lock ends with the connection."""
    row = connection.execute("select pg_try_advisory_lock(hashtext('fluvial generator'))").fetchone()
    if row is None or not row[0]:
        raise SourceError("another `fluvial generate` writes into this database", "wait for it, or stop it")


def _transactions(generator: Generator, request: GenerationRequest) -> Iterator[Transaction]:
    match request.mode:
        case Mode.SEED:
            return generator.seed_rows(request.rows)
        case Mode.GENERATE:
            return generator.changes(request.rows)
        case Mode.BURST:
            return generator.changes(request.rows or DEFAULT_BURST_ROWS)


def _timed(
    transactions: Iterator[Transaction], request: GenerationRequest, changes_per_second: float
) -> Iterator[Transaction]:
    """Ends after the request's seconds; in mode `generate` it also keeps the pace."""
    is_paced = request.mode is Mode.GENERATE
    seconds = request.seconds if request.seconds is not None else (DEFAULT_SECONDS if is_paced else None)
    start, changes = time.monotonic(), 0
    for transaction in transactions:
        due = changes / changes_per_second if is_paced else 0.0
        if seconds is not None and max(due, time.monotonic() - start) >= seconds:
            return
        while (early := due - (time.monotonic() - start)) > 0:
            time.sleep(min(early, _LONGEST_NAP_SECONDS))
        changes += len(transaction)
        yield transaction


@contextmanager
def _fast_commits(connection: Connection, mode: Mode) -> Iterator[None]:
    """Bursts wait neither for an answer nor for the disk; at the end everything is on the disk."""
    if mode is Mode.GENERATE:
        yield
        return
    connection.execute("set synchronous_commit = off")
    try:
        with connection.pipeline():
            yield
    finally:
        connection.execute("rollback")  # what an interrupt has left open
        connection.execute("set synchronous_commit = on")
        # The commit of any transaction that has a number takes the log before it along.
        connection.execute("select pg_current_xact_id()")


def _apply(connection: Connection, schema: str, transaction: Transaction) -> None:
    # Not `connection.transaction()`: inside a pipeline that waits for the server twice each time.
    connection.execute("begin")
    for statement in transaction:
        connection.execute(*to_sql(schema, statement))
    connection.execute("commit")
