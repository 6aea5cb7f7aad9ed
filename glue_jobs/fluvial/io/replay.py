"""`replay_events`: recorded Kafka records through exactly the streaming chain, without Kafka."""

import uuid
from collections.abc import Iterable
from pathlib import Path

from pyspark.sql import SparkSession

from fluvial.config.locations import Locations
from fluvial.config.model import UseCase
from fluvial.io.events_file import RECORD_SCHEMA, Record, in_micro_batches
from fluvial.io.lake_writer import LakeWriter
from fluvial.streams import TableCounts


def replay_events(
    session: SparkSession, use_case: UseCase, lake: Path, records: Iterable[Record], micro_batch: int
) -> dict[str, TableCounts]:
    """Counts for each table, over all records; each replay is a query of its own, so nothing is taken for a retry.

    Raises EventsFileError, StorageError.
    """
    writer = LakeWriter(session, use_case, Locations(use_case, lake), f"replay-{uuid.uuid4()}")
    for batch_id, batch in enumerate(in_micro_batches(records, micro_batch)):
        writer.write(session.createDataFrame(batch, RECORD_SCHEMA), batch_id)
    return writer.totals
