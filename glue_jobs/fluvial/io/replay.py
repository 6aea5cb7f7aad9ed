"""`replay_events`: recorded Kafka records through exactly the streaming chain, without Kafka."""

import uuid
from collections.abc import Callable
from pathlib import Path

from pyspark.sql import SparkSession

from fluvial.config.locations import Locations
from fluvial.config.model import UseCase
from fluvial.io.events_file import RECORD_SCHEMA, read_events
from fluvial.io.lake_writer import LakeWriter
from fluvial.streams import TableCounts


def replay_events(
    session: SparkSession,
    use_case: UseCase,
    lake: Path,
    events: Path,
    micro_batch: int,
    progress: Callable[[int], None] = lambda consumed: None,
) -> dict[str, TableCounts]:
    """Counts for each table, over the whole file; each replay is a query of its own, so nothing is taken for a retry.

    Raises EventsFileError, StorageError.
    """
    writer = LakeWriter(session, use_case, Locations(use_case, lake), f"replay-{uuid.uuid4()}")
    consumed = 0
    for batch_id, records in enumerate(read_events(events, micro_batch)):
        writer.write(session.createDataFrame(records, RECORD_SCHEMA), batch_id)
        consumed += len(records)
        progress(consumed)
    return writer.totals
