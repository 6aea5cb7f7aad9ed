"""Tables side by side: one that fails takes no other with it."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from fluvial.config.model import Table

Result = TypeVar("Result")


@dataclass(frozen=True)
class Gathered(Generic[Result]):
    """Results by table name, and the failures beside them."""

    done: dict[str, Result]
    failed: dict[str, Exception]


def gather(pool: ThreadPoolExecutor, tables: Sequence[Table], work: Callable[[Table], Result]) -> Gathered[Result]:
    """Runs the work for each table and waits for all of them."""
    futures = {table.name: pool.submit(work, table) for table in tables}
    gathered: Gathered[Result] = Gathered({}, {})
    for name, future in futures.items():
        if (error := future.exception()) is None:
            gathered.done[name] = future.result()
        elif isinstance(error, Exception):
            gathered.failed[name] = error
        else:
            raise error
    return gathered
