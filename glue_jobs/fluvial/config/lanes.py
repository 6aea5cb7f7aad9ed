"""The lanes of a use case: which tables share a streaming query, and how it runs."""

from dataclasses import dataclass

from fluvial.config.durations import duration
from fluvial.config.model import MAIN_LANE, UseCase
from fluvial.config.settings import LaneSettings


@dataclass(frozen=True)
class Lane:
    """Tables that are streamed together; `use_case` holds only these."""

    name: str
    use_case: UseCase
    trigger_interval: str
    max_records_per_batch: int

    @property
    def is_main(self) -> bool:
        """Whether it is the lane of tables that name none."""
        return self.name == MAIN_LANE

    @property
    def interval_seconds(self) -> float:
        """`trigger_interval` as a number."""
        return duration(self.trigger_interval).total_seconds()

    @property
    def topics(self) -> tuple[str, ...]:
        """What its query reads."""
        return tuple(table.topic for table in self.use_case.tables)


def lanes_of(use_case: UseCase) -> tuple[Lane, ...]:
    """Every lane that has a table, in the order in which tables first name them."""
    names = dict.fromkeys(table.lane for table in use_case.tables)
    return tuple(_lane(use_case, name) for name in names)


def _lane(use_case: UseCase, name: str) -> Lane:
    tables = tuple(table for table in use_case.tables if table.lane == name)
    settings = use_case.settings
    own = settings.lanes.get(name, LaneSettings())
    return Lane(
        name,
        use_case.model_copy(update={"tables": tables}),
        own.trigger_interval or settings.trigger_interval,
        own.max_records_per_batch or settings.max_records_per_batch,
    )
