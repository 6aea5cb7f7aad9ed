"""All chance and all time of a run, from one seed."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property
from random import Random

from faker import Faker

from fluvial.generate.draws import Increase, Kind, Value
from fluvial.generate.live_rows import LiveKeys


class Chance:
    """What values are drawn from; see `fluvial.generate.draws.Draws`."""

    def __init__(
        self, seed: int, clock_start: datetime, live: Mapping[str, LiveKeys], last_serials: Mapping[str, int]
    ) -> None:
        self.random = Random(seed)  # noqa: S311 - reproducible test data, nothing secret
        self._seed = seed
        self._now = clock_start
        self._live = live
        self._table = ""
        self._last_serials = dict(last_serials)

    @cached_property
    def _faker(self) -> Faker:
        faker = Faker()
        faker.seed_instance(self._seed)
        return faker

    def fake(self, provider: str) -> str:
        """A text of one of faker's providers."""
        return str(getattr(self._faker, provider)())

    def now(self) -> datetime:
        """The scenario's own time; two readings are never equal."""
        self._now += timedelta(microseconds=self.random.randint(1, 1_000_000))
        return self._now

    def draw(self, kind: Kind, table: str) -> Value | Increase:
        """One value for a column of `table`."""
        self._table = table
        return kind.draw(self)

    def next_serial(self) -> int:
        """The next number of the serial key of the table at hand."""
        table = self._table
        self._last_serials[table] = self._last_serials.get(table, 0) + 1
        return self._last_serials[table]

    def live_key(self, table: str) -> Value:
        """The first key column of some row that exists; None where the table is empty."""
        keys = self._live[table]
        return keys.pick(self.random)[0] if len(keys) else None

    def happens(self, share: float) -> bool:
        """True as often as `share` says."""
        return share > 0 and self.random.random() < share
