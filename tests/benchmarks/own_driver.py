"""A rival in a driver of its own: its compilers see one job, as those of a driver do that runs for months."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from multiprocessing import get_context

from pyspark.sql import SparkSession

from tests.benchmarks.cost import Cost, Meter
from tests.benchmarks.deequ import stop_callbacks
from tests.benchmarks.measure import Entry, Series
from tests.benchmarks.session import open_session

MakeEntry = Callable[[Meter], Entry]
"""Makes the entry in the other process, so it has to be picklable: a module's function, or a `partial` of one."""

_entries: list[Entry] = []
"""The one of a process that runs a rival."""


class OwnDriver:
    """A process with a session; what fails there is raised here."""

    def __init__(self, make: MakeEntry) -> None:
        self._process = ProcessPoolExecutor(1, get_context("spawn"), _open, (make,))
        self._has_started = False

    def series(self, name: str) -> Series:
        """Waits for the driver to start."""
        self._has_started = True
        return self._process.submit(_series, name).result()

    def run(self, number: int) -> Cost:
        """Runs a round, while this process waits."""
        return self._process.submit(_run, number).result()

    def close(self) -> None:
        """Ends driver and process, if there are any."""
        if self._has_started:
            self._process.submit(_close).result()
        self._process.shutdown()


@contextmanager
def own_drivers(makers: Mapping[str, MakeEntry]) -> Iterator[dict[str, OwnDriver]]:
    """A driver for each, by name; all are ended at last."""
    with ExitStack() as stack:
        drivers = {name: OwnDriver(make) for name, make in makers.items()}
        for driver in drivers.values():
            stack.callback(driver.close)
        yield drivers


def _open(make: MakeEntry) -> None:
    _entries.append(make(Meter(open_session())))


def _series(name: str) -> Series:
    return _entries[0].series(name)


def _run(number: int) -> Cost:
    return _entries[0].run(number)


def _close() -> None:
    session: SparkSession = _entries.pop().meter.session
    stop_callbacks(session)
    session.stop()
