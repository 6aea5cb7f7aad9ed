"""Dead letters of every table, in one table: each record once, however often it is delivered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from fluvial.io import delta
from fluvial.streams import BatchContext, DeadLetters

UNROUTED: Final = "(no table)"
_IDENTITY: Final = ("topic", "partition", "offset", "value_sha256")
_IS_OWN: Final = "_is_own"


@dataclass(frozen=True)
class DeadLetterCounts:
    """Of one table: records written by this batch (an earlier try of it included), and those another batch wrote."""

    written: int = 0
    known: int = 0


def write_dead_letters(
    session: SparkSession, rows: Sequence[DeadLetters], path: str, batch: BatchContext
) -> Mapping[str, DeadLetterCounts]:
    """Appends what the table lacks, in one commit or none; a record's identity is its offset and its bytes' hash."""
    if not rows:
        return {}
    marked = _mark_known(_union(rows), delta.read_if_exists(session, path), batch).persist()
    try:
        counts = marked.groupBy(F.coalesce("table", F.lit(UNROUTED)), _IS_OWN).count().collect()
        fresh = marked.where(F.col(_IS_OWN).isNull())
        if any(is_own is None for _, is_own, _ in counts):
            delta.append(fresh.drop(_IS_OWN).coalesce(1), path)
        return _by_table([(table, is_own is not False, count) for table, is_own, count in counts])
    finally:
        marked.unpersist()


def _union(rows: Sequence[DeadLetters]) -> DataFrame:
    united: DataFrame = rows[0]
    for frame in rows[1:]:
        united = united.unionByName(frame)
    return united


def _mark_known(rows: DataFrame, known: DataFrame | None, batch: BatchContext) -> DataFrame:
    """`_is_own`: NULL where the table lacks the record, else whether an earlier try of this batch wrote it."""
    if known is None:
        return rows.withColumn(_IS_OWN, F.lit(None).cast("boolean"))
    is_own = (F.col("query_id") == batch.query_id) & (F.col("batch_id") == batch.batch_id)
    earlier = known.groupBy(*_IDENTITY).agg(F.max(is_own).alias(_IS_OWN))
    return rows.join(earlier, list(_IDENTITY), "left").select(*rows.columns, _IS_OWN)


def _by_table(counts: Sequence[tuple[str, bool, int]]) -> dict[str, DeadLetterCounts]:
    found: dict[str, DeadLetterCounts] = {}
    for table, is_written, count in counts:
        so_far = found.get(table, DeadLetterCounts())
        written, known = (count, 0) if is_written else (0, count)
        found[table] = DeadLetterCounts(so_far.written + written, so_far.known + known)
    return found
