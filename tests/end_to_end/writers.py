"""Sessions that write one table of PostgreSQL at once: transactions of several rows, on keys that they share."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

import psycopg
from psycopg import errors

REGIONS: Final = ("north", "south", "east", "west")
NUMBERS: Final = 40
_COLLISIONS: Final = (errors.DeadlockDetected, errors.UniqueViolation)
"""What sessions that share keys do to each other; the whole transaction is rolled back then."""


@dataclass
class Writers:
    """Writes until it is told to stop; each session draws from a seed of its own."""

    dsn: str
    sessions: int
    commits: list[int] = field(init=False)
    _stopping: threading.Event = field(default_factory=threading.Event, init=False)
    _futures: list[Future[None]] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self.commits = [0] * self.sessions
        self._pool = ThreadPoolExecutor(self.sessions)

    def start(self) -> None:
        self._futures = [self._pool.submit(self._write, session) for session in range(self.sessions)]

    def stop(self) -> None:
        """Lets each session end its transaction; raises what one of them died of."""
        self._stopping.set()
        for future in self._futures:
            future.result()
        self._pool.shutdown()

    def _write(self, session: int) -> None:
        random = Random(session)
        with psycopg.connect(self.dsn) as connection:
            while not self._stopping.is_set():
                try:
                    with connection.transaction():
                        for _ in range(1 + random.randrange(6)):
                            _change(connection, random)
                            # Lets the others in between two statements, so that positions in the log interleave.
                            self._stopping.wait(random.random() * 0.01)
                except _COLLISIONS:
                    continue
                self.commits[session] += 1


def _change(connection: psycopg.Connection[Any], random: Random) -> None:
    region, number, chance = random.choice(REGIONS), random.randrange(NUMBERS), random.random()
    key = {"region": region, "number": number}
    if chance < 0.35:
        # Longer than a page, so that later updates leave it out of their events.
        contract = "".join(random.choices("abcdefghijklmnopqrstuvwxyz", k=6000))
        connection.execute(
            "insert into accounts values (%(region)s, %(number)s, %(owner)s, %(balance)s, %(contract)s) "
            "on conflict (region, number) do update set contract = excluded.contract",
            key | {"owner": f"owner {chance}", "balance": random.randrange(10_000), "contract": contract},
        )
    elif chance < 0.75:
        connection.execute(
            "update accounts set balance = balance + 1.25 where region = %(region)s and number = %(number)s", key
        )
    elif chance < 0.88:
        connection.execute("delete from accounts where region = %(region)s and number = %(number)s", key)
    else:
        connection.execute(
            "update accounts set region = %(to)s where region = %(region)s and number = %(number)s",
            key | {"to": random.choice(REGIONS)},
        )
