"""What takes part in `pipeline_floor`. Each rival keeps its tables below a folder of its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from fluvial.config.locations import Locations
from fluvial.config.model import Table, UseCase
from fluvial.config.settle import SettlePolicy
from fluvial.io.checked_batch import CheckedBatch
from fluvial.io.dead_letters import DeadLetterCounts
from fluvial.io.lake_writer import LakeWriter
from fluvial.io.query_offsets import SoleTopic
from fluvial.io.session import suit_batch_size
from fluvial.io.table_writer import TableWriter
from fluvial.streams import BatchContext, Records
from tests.benchmarks.telemetry import only_table

QUERY: Final = "benchmark"
PROCESSED_AT: Final = datetime(2026, 1, 2, tzinfo=UTC)
MANY: Final = 1_000_000
"""Events of a large batch, about: what plans run generated code for."""
_NEVER: Final = SettlePolicy(policy="rows", rows=1_000_000_000)
_TEXT: Final = frozenset({"timestamp", "date"})
"""Types that the parser of JSON reads slowly: read as text and cast, they cost less than half."""


Write = Callable[[DataFrame, int], None]
"""(records, batch) -> nothing."""


class Rival(Protocol):
    """Writes batch after batch of one stream into tables below `folder`."""

    folder: Path

    def write(self, records: DataFrame, batch: int) -> None:
        """Writes one micro-batch."""


def parse_image(records: DataFrame, table: Table, envelope: str, *, has_deletes: bool = False) -> DataFrame:
    """One `from_json` with an explicit schema: the columns of the row, typed, the operation and the time.

    With `has_deletes` a row that was deleted is the one before, where Debezium has it.
    """
    image, operation, time = {
        "dms": ("data", "metadata.operation", "metadata.timestamp"),
        "debezium": ("after", "op", "ts_ms"),
    }[envelope]
    images = (image, "before") if has_deletes and envelope == "debezium" else (image,)
    parsed = records.select(F.from_json(F.col("value").cast("string"), _schema(table, envelope, images)).alias("e"))

    def read(name: str) -> Column:
        return F.coalesce(*(F.col(f"e.{each}.{name}") for each in images))

    columns = (read(column.name).cast(column.type).alias(column.name) for column in table.columns)
    changed_at = F.col(f"e.{time}").cast("timestamp") if envelope == "dms" else F.timestamp_millis(F.col(f"e.{time}"))
    return parsed.select(*columns, F.col(f"e.{operation}").alias("op"), changed_at.alias("changed_at"))


def _schema(table: Table, envelope: str, images: Sequence[str]) -> str:
    row = ", ".join(f"{column.name} {_read_as(column.type)}" for column in table.columns)
    if envelope == "dms":
        return f"data struct<{row}>, metadata struct<timestamp string, operation string>"
    return f"{', '.join(f'{image} struct<{row}>' for image in images)}, op string, ts_ms bigint"


def _read_as(kind: str) -> str:
    return "string" if kind in _TEXT else kind


@dataclass
class Floor:
    """`from_json`, then a Delta append: what nobody who wants a typed table can do without."""

    folder: Path
    table: Table
    envelope: str

    def write(self, records: DataFrame, batch: int) -> None:
        """Two lines."""
        parsed = parse_image(records, self.table, self.envelope)
        parsed.write.format("delta").mode("append").save(str(self.folder / "raw"))


@dataclass
class FastPath:
    """Fluvial's own path up to the log: parse, rules, transforms, metrics, quarantine, append; not settled."""

    folder: Path
    use_case: UseCase
    session: SparkSession
    rows: int | None
    """Of each batch, as the micro-batch's shares would tell; None has the rows held."""
    writer: TableWriter = field(init=False)

    def __post_init__(self) -> None:
        table = only_table(self.use_case)
        locations = Locations(self.use_case, self.folder).table(table)
        self.writer = TableWriter(self.session, table, locations, policy=_NEVER)

    def write(self, records: DataFrame, batch: int) -> None:
        """What LakeWriter does for one table."""
        context = BatchContext(QUERY, batch, PROCESSED_AT)
        suit_batch_size(self.session, MANY if self.rows is None else self.rows, fuses=False)
        checked = self.writer.check(Records(records), context, self.rows)
        try:
            self.inspect(checked)
            self.writer.write(checked, DeadLetterCounts(), context)
        finally:
            checked.release()

    def inspect(self, checked: CheckedBatch) -> None:
        """What a variant does with the judged rows."""


@dataclass
class SettleStep:
    """The settle step alone, of a table that another rival takes events up for."""

    folder: Path
    writer: TableWriter

    def write(self, records: DataFrame, batch: int) -> None:
        """Folds in what was taken up since."""
        self.writer.history.settle()


@dataclass
class WholeJob:
    """All of Fluvial: the whole micro-batch with every side table, settled as the use case says."""

    folder: Path
    use_case: UseCase
    session: SparkSession
    rows: int
    """Of each batch, as the stream's plan would tell."""
    writer: LakeWriter = field(init=False)

    def __post_init__(self) -> None:
        locations = Locations(self.use_case, self.folder)
        self.writer = LakeWriter(self.session, self.use_case, locations, QUERY, lambda: PROCESSED_AT)

    def write(self, records: DataFrame, batch: int) -> None:
        """A lane's own call, for a table that has a lane of its own."""
        topic = only_table(self.use_case).topic
        self.writer.write(records, batch, sole=SoleTopic(topic, self.rows))


def without_metrics(use_case: UseCase) -> UseCase:
    """The use case with nothing to measure."""
    table = only_table(use_case).model_copy(update={"deequ_checks": ()})
    return use_case.model_copy(update={"tables": (table,)})


def settled_every(use_case: UseCase, rows: int) -> UseCase:
    """The use case whose history is settled once so many rows of the log wait."""
    policy = SettlePolicy(policy="rows", rows=rows)
    return use_case.model_copy(update={"settings": use_case.settings.model_copy(update={"settle": policy})})
