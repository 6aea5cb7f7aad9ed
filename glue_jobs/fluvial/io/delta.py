"""Delta tables of the lake: whether they exist, how they are created, appended to and read in ranges."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from delta.tables import DeltaTable
from py4j.protocol import Py4JJavaError
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from fluvial import columns as c
from fluvial.config.model import Table
from fluvial.io.commit_lock import commit_lock
from fluvial.io.commits import APPENDED, COLUMNS_ADDED, Commit, parse_commit
from fluvial.io.observed import Aggregates, observe
from fluvial.io.schemas import columns_ddl
from fluvial.streams import ACTION

_USER_METADATA: Final = "spark.databricks.delta.commitInfo.userMetadata"


def exists(session: SparkSession, path: str) -> bool:
    """Whether a Delta table lies there."""
    return DeltaTable.isDeltaTable(session, path)


def read(session: SparkSession, path: str) -> DataFrame:
    """The table as it stands now."""
    return session.read.format("delta").load(path)


def read_if_exists(session: SparkSession, path: str) -> DataFrame | None:
    """The table, or None where there is none yet."""
    return read(session, path) if exists(session, path) else None


def highest_sequence(session: SparkSession, path: str) -> str:
    """Of all rows of a table; "" where there is none."""
    found = read_if_exists(session, path)
    highest = found.agg(F.max(c.SEQUENCE)).collect()[0][0] if found is not None else None
    return highest or ""


@dataclass(frozen=True)
class Snapshot:
    """The newest state of a table; `table_id` differs for another table made at the same place."""

    version: int
    table_id: str
    schema_json: str


def snapshot(session: SparkSession, path: str) -> Snapshot | None:
    """The newest snapshot, or None where there is no table; a look at the log directory, no Spark job."""
    return read_snapshot(newest_snapshot(session, delta_log(session, path)))


def newest_snapshot(session: SparkSession, log: Any) -> Any:
    """Delta's own; lists the commits only where the one that it knows isn't the last any more.

    Delta lists all that are kept, thirty days of them, at each look: of a commit in every second those are millions.
    """
    known = log.unsafeVolatileSnapshot()
    if _is_newest(session, log.logPath(), known):
        return known
    nothing = scala_object(jvm(session).scala, "None")
    return log.update(False, nothing, nothing)


def _is_newest(session: SparkSession, commits: Any, known: Any) -> bool:
    """Whether its commit is still there, and none follows; another table's of that number has another time."""
    version, path = known.version(), jvm(session).org.apache.hadoop.fs.Path
    if version < 0:
        return False
    files = commits.getFileSystem(session._jsc.hadoopConfiguration())  # noqa: SLF001
    try:
        made_at = files.getFileStatus(path(commits, f"{version:020}.json")).getModificationTime()
    except Py4JJavaError:
        return False
    is_same = made_at == known.logSegment().lastCommitFileModificationTimestamp()
    return is_same and not files.exists(path(commits, f"{version + 1:020}.json"))


def read_snapshot(found: Any) -> Snapshot | None:
    """One of Delta's own; None of a table that isn't there."""
    version, metadata = found.version(), found.metadata()
    return None if version < 0 else Snapshot(version, metadata.id(), metadata.schemaString())


def read_commit(session: SparkSession, path: str, version: int) -> Commit | None:
    """The commit that made a version, None where its file is cleaned up; no Spark job."""
    text = _read_commit_file(session, path, version)
    return None if text is None else parse_commit(version, text)


@dataclass(frozen=True)
class CommittedFiles:
    """Delta's AddFiles of one commit, those among them that brought rows, and the paths of files that it took away."""

    added: Sequence[Any]
    appended: Sequence[Any]
    removed: frozenset[str]


def read_files(session: SparkSession, path: str, version: int) -> CommittedFiles | None:
    """The files that a commit added, None where it is cleaned up; no Spark job."""
    text = _read_commit_file(session, path, version)
    if text is None:
        return None
    lines = text.split("\n")  # a text in a line may hold what Unicode calls the end of one
    added = [action_of(session, line) for line in lines if line.startswith('{"add"')]
    appended = [file for file in added if file.dataChange()]
    removed = (json.loads(line)["remove"]["path"] for line in lines if line.startswith('{"remove"'))
    return CommittedFiles(added, appended, frozenset(removed))


def action_of(session: SparkSession, line: str) -> Any:
    """Delta's own of a line of a commit."""
    return jvm(session).org.apache.spark.sql.delta.actions.Action.fromJson(line)


def _read_commit_file(session: SparkSession, path: str, version: int) -> str | None:
    log = delta_log(session, path)
    file = jvm(session).org.apache.hadoop.fs.Path(log.logPath(), f"{version:020}.json")
    settings = log.newDeltaHadoopConf()
    if not file.getFileSystem(settings).exists(file):
        return None
    return str(log.store().read(file, settings).mkString("\n"))


def note_commits(session: SparkSession, note: str) -> None:
    """What this session's commits say from now on, unless a write says otherwise."""
    session.conf.set(_USER_METADATA, note)


def delta_log(session: SparkSession, path: str) -> Any:
    """Delta's own object, in the JVM: the table's transactions and commits."""
    return jvm(session).org.apache.spark.sql.delta.DeltaLog.forTable(session._jsparkSession, path)  # noqa: SLF001


def jvm(session: SparkSession) -> Any:
    """The driver's JVM: the Python API has no transactions, and no way to a table's log that costs no job."""
    return session._jvm  # noqa: SLF001


def scala_object(package: Any, name: str) -> Any:
    """Scala's singleton of that name."""
    return getattr(getattr(package, f"{name}$"), "MODULE$")


def listed(items: Any) -> list[Any]:
    """A Scala collection of the JVM's as a list."""
    indexed = items.toIndexedSeq()
    return [indexed.apply(number) for number in range(indexed.size())]


def append(
    frame: DataFrame,
    path: str,
    *,
    partition_by: Sequence[str] = (),
    properties: dict[str, str] | None = None,
    note: str = APPENDED,
) -> None:
    """Appends, creating the table where needed."""
    writer = frame.write.format("delta").mode("append").option("mergeSchema", "true").options(**(properties or {}))
    if partition_by:
        writer = writer.partitionBy(*partition_by)
    with commit_lock(path):
        writer.option("userMetadata", note).save(path)


def replace_rows(
    frame: DataFrame, path: str, partition_by: Sequence[str], properties: dict[str, str], note: str
) -> None:
    """Makes the frame the table's whole content and its schema, in one commit."""
    writer = frame.write.format("delta").mode("overwrite").option("overwriteSchema", "true").options(**properties)
    with commit_lock(path):
        writer.partitionBy(*partition_by).option("userMetadata", note).save(path)


def log_properties(table: Table) -> dict[str, str]:
    """Properties of a log: a change feed for who wants one, and statistics that prune by sequence and time."""
    statistics = (*table.primary_key, c.SEQUENCE, c.COMMIT_TIME, c.OPERATION)
    return {
        "delta.enableChangeDataFeed": "true",
        "delta.appendOnly": "true",
        "delta.dataSkippingStatsColumns": ",".join(statistics),
    }


def quarantine_properties(table: Table) -> dict[str, str]:
    """Properties of a quarantine: its statistics prune by sequence, however many columns the table has."""
    statistics = (*table.primary_key, c.SEQUENCE, c.COMMIT_TIME)
    return {"delta.dataSkippingStatsColumns": ",".join(statistics)}


def history_properties(table: Table) -> dict[str, str]:
    """Properties of a history: its statistics prune closed files by the sequence that closed them."""
    return {"delta.dataSkippingStatsColumns": ",".join(history_statistics(table))}


def history_statistics(table: Table) -> tuple[str, ...]:
    """The columns of a history whose bounds Delta keeps for each file."""
    return (*table.primary_key, c.SEQUENCE, c.END_SEQUENCE, c.EFFECTIVE_FROM, c.EFFECTIVE_TO)


def read_version(session: SparkSession, path: str, version: int) -> DataFrame:
    """The table as of a version."""
    return session.read.format("delta").option("versionAsOf", version).load(path)


def hold(frame: DataFrame) -> DataFrame:
    """The frame, computed by the first action on it and cut from its sources; `release` it in the end.

    A cache would not do: writing a table makes Spark plan again every cached frame that had read it, and turning rows
    into columns costs more than keeping them.
    """
    return frame.localCheckpoint(eager=False)


def release(held: DataFrame) -> None:
    """Frees what `hold` keeps; the frame can't be read any more."""
    plan: Any = held._jdf.queryExecution().analyzed()  # noqa: SLF001 - nothing public frees a local checkpoint
    plan.rdd().unpersist(False)


def checkpoint_counted(frame: DataFrame, counts: Aggregates) -> tuple[DataFrame, dict[str, Any]]:
    """The frame computed once and cut from its sources, with aggregates over it, all in one job."""
    observed = observe(frame, counts)
    return observed.rows.localCheckpoint(), observed.values


def add_missing_columns(session: SparkSession, path: str, wanted: DataFrame) -> bool:
    """Adds the columns of `wanted` that the table lacks, and tells whether any was; their old values are NULL."""
    known = {name.lower() for name in read(session, path).columns}
    missing = [(name, kind) for name, kind in wanted.dtypes if name.lower() not in known and name != ACTION]
    if missing:
        note_commits(session, COLUMNS_ADDED)
        with commit_lock(path):
            session.sql(f"ALTER TABLE delta.`{path}` ADD COLUMNS ({columns_ddl(missing)})")
    return bool(missing)
