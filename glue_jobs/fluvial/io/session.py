"""The Spark session of the job: Delta on, UTC, small-batch settings, versions asserted before anything runs."""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from fluvial import columns as c
from fluvial.io.delta import scala_object
from fluvial.io.jvm_names import keep_names
from fluvial.io.versions import Versions, assert_versions

SMALL_BATCH: Final = 5_000
"""Plans over fewer rows are interpreted."""
MOST_BROADCAST: Final = 200_000
"""Rows that a driver collects and sends to each task for a join; what may be more is shuffled."""
ADAPTS: Final = "spark.sql.adaptive.enabled"
FUSES: Final = "spark.sql.codegen.wholeStage"
_CODE: Final = "spark.sql.codegen.factoryMode"
_COMMON: Final = "spark.sql.subexpressionElimination.enabled"
_NEARLY_UNIQUE: Final = (
    *(c.SEQUENCE, c.END_SEQUENCE, c.COMMIT_TIME, c.EFFECTIVE_FROM, c.EFFECTIVE_TO),
    *(c.SOURCE_POSITION, c.OFFSET, c.PAYLOAD_HASH),
)
"""Columns with another value in almost every row."""
_SETTINGS: Final = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.session.timeZone": "UTC",
    # AQE turns each shuffle into a job of its own; a micro-batch is too small to gain from it.
    ADAPTS: "false",
    # Spark would derive what follows from the filters of a wide plan, again and again: a tenth of a small batch.
    "spark.sql.constraintPropagation.enabled": "false",
    # The JVM never compiles a method above 8,000 bytes of code; Spark fuses wide rows into such methods unless told.
    "spark.sql.codegen.hugeMethodLimit": "8000",
    # A micro-batch needs some two hundred generated classes; with Spark's room for one hundred each batch compiled all
    # of them again.
    "spark.sql.codegen.cache.maxEntries": "5000",
    # Lets the windows' partitioning by key serve the comparison by key and sequence.
    "spark.sql.requireAllClusterKeysForCoPartition": "false",
    # Dates before 1900 are written as they are: proleptic Gregorian, as every other reader takes them.
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.int96RebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.int96RebaseModeInRead": "CORRECTED",
    # Microseconds as 64-bit integers, with statistics; INT96 has none and no reader likes it.
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    # Sequences, positions and offsets hardly differ from row to row: a log takes 40 % less than with Spark's default.
    "spark.sql.parquet.compression.codec": "zstd",
    # What runs on evenly, as offsets and times do, takes next to nothing in pages of the second version.
    "spark.hadoop.parquet.writer.version": "PARQUET_2_0",
    # A dictionary of values that hardly repeat costs time and room.
    **{f"spark.hadoop.parquet.enable.dictionary#{name}": "false" for name in _NEARLY_UNIQUE},
    "spark.sql.inMemoryColumnarStorage.compressed": "false",
    # With each commit Delta would list all files of a small table beside it, and this version reads the list nowhere.
    "spark.databricks.delta.allFilesInCrc.enabled": "false",
    # A checkpoint costs two jobs, as much as three small batches; whoever reads a table reads the commits behind it.
    "spark.databricks.delta.properties.defaults.checkpointInterval": "50",
    # Each sort and aggregate of each task begins with a page, of up to 64 MB by default: cleared for a few rows, and so
    # large that G1 marks the whole heap again and again. Spark has room for 8,192 pages a task.
    "spark.buffer.pageSize": "1m",
    # Spark reads 4,096 rows at a time into one piece of memory for each column, and Parquet buffers a hundred before it
    # looks how large they are: of long texts more than the whole heap.
    "spark.sql.parquet.columnarReaderBatchSize": "128",
    "spark.hadoop.parquet.page.size.row.check.min": "10",
    "spark.hadoop.parquet.block.size.row.check.min": "10",
    # A row with one name twice, which JSON allows, is no reason to fail for good.
    "spark.sql.mapKeyDedupPolicy": "LAST_WIN",
    # A superset of Spark's own pattern: setting this key replaces the default.
    "spark.redaction.regex": "(?i)secret|password|token|access[.]?key|sasl[.]jaas|credential",
    "spark.ui.showConsoleProgress": "false",
}
_LOCAL_SETTINGS: Final = {
    "spark.master": "local[*]",
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": os.environ.get("SPARK_DRIVER_MEMORY", "2g"),
    # A laptop's session is short and its batches small: the second compiler would cost more than it gains. With the
    # first alone the JVM reserves too little room for code; what the JVM itself says must not mix with results.
    "spark.driver.extraJavaOptions": (
        "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m -XX:+DisplayVMOutputToStderr"
    ),
    "spark.sql.shuffle.partitions": "2",
    "spark.databricks.delta.snapshotPartitions": "2",
    # Spark's own choice runs a command for either end of a rename, and for either end of its checksum file's.
    "spark.sql.streaming.checkpointFileManagerClass": (
        "org.apache.spark.sql.execution.streaming.FileSystemBasedCheckpointFileManager"
    ),
    # Delta's usual store of commits runs a command for either end of a rename, twice. Both look first and rename then.
    "spark.delta.logStore.file.impl": "io.delta.storage.LocalLogStore",
}


def build_session(app_name: str, jars: Sequence[Path] = (), settings: dict[str, str] | None = None) -> SparkSession:
    """A session with the proven versions; `jars` means a local one, without them the cluster brings its own.

    Raises VersionMismatchError.
    """
    wanted = dict(_SETTINGS)
    if jars:
        wanted |= _LOCAL_SETTINGS | {"spark.jars": ",".join(str(jar) for jar in jars)}
    builder = SparkSession.builder.appName(app_name)
    for name, value in (wanted | (settings or {})).items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    assert_versions(find_versions(session))
    keep_names(session._jvm)  # noqa: SLF001 - the view that PySpark itself resolves names in
    _forget_origins(session)
    _make_room_for_code(session)
    if jars:
        _do_without_checksum_files(session)
    return session


def _make_room_for_code(session: SparkSession) -> None:
    """Has Spark make its cache of generated classes now, while it can see how much room the session wants for them.

    Made by the first thread that happens to need it, a task without a query for instance, it has Spark's hundred.
    """
    with active(session):
        generated: Any = session._jvm.org.apache.spark.sql.catalyst.expressions.codegen  # type: ignore[union-attr] # noqa: SLF001
        scala_object(generated, "CodeGenerator")


def _do_without_checksum_files(session: SparkSession) -> None:
    """On a local disk Hadoop writes a second file beside each, and runs a command for each: S3 has neither.

    It doesn't read them either: one that an earlier version left may be of what stood there before.
    """
    jvm: Any = session._jvm  # noqa: SLF001 - Hadoop keeps one local file system for all, and no setting of its own for this
    local = jvm.org.apache.hadoop.fs.FileSystem.getLocal(session._jsc.hadoopConfiguration())  # noqa: SLF001
    local.setWriteChecksum(False)
    local.setVerifyChecksum(False)


def _forget_origins(session: SparkSession) -> None:
    """Forgets which file each of Hadoop's settings came from; what they say stays.

    Spark sends them all with each job, a thousand, and Hadoop compresses the origin of each by itself: a tenth of a
    small batch. It tells origins only to who debugs. A Hadoop that keeps them elsewhere goes on sending them.
    """
    jvm: Any = session._jvm  # noqa: SLF001 - PySpark has no other way to Hadoop's settings
    jvm.org.apache.hadoop.mapred.JobConf()  # has the last defaults loaded: loaded later, all would have an origin again
    settings = session._jsc.hadoopConfiguration()  # noqa: SLF001
    with suppress(Py4JJavaError):
        origins = settings.getClass().getDeclaredField("updatingResource")
        origins.setAccessible(True)
        origins.get(settings).clear()


def suit_batch_size(session: SparkSession, records: int, *, fuses: bool = True) -> None:
    """Interprets the plans of a small batch: generating and compiling code for them takes longer than running them.

    `fuses` is false for the chain up to the log: Spark can't fuse steps around `from_json`, and the code of the others
    exceeds what the JVM compiles, so it would be generated, measured and dropped for each batch. An interpreted plan
    looks for common parts of its expressions at each start of a task, and then asks a cache for them in each row.
    """
    is_small = records < SMALL_BATCH
    session.conf.set(FUSES, str(fuses and not is_small).lower())
    session.conf.set(_CODE, "NO_CODEGEN" if is_small else "FALLBACK")
    session.conf.set(_COMMON, str(not is_small).lower())


@contextmanager
def setting(session: SparkSession, name: str, value: str) -> Iterator[None]:
    """A setting of the session for what it plans meanwhile."""
    before = str(session.conf.get(name))
    session.conf.set(name, value)
    try:
        yield
    finally:
        session.conf.set(name, before)


@contextmanager
def interpreted(session: SparkSession, rows: int) -> Iterator[None]:
    """Interprets what the session runs meanwhile, if it is over few rows, as a part of a large batch may be."""
    if rows >= SMALL_BATCH:
        yield
        return
    with setting(session, _CODE, "NO_CODEGEN"), setting(session, _COMMON, "false"):
        yield


@contextmanager
def active(session: SparkSession) -> Iterator[None]:
    """Spark and Delta ask for the thread's active session: the one that last ran something here, if any did."""
    sessions: Any = session._jvm.SparkSession  # type: ignore[union-attr] # noqa: SLF001
    wanted, before = session._jsparkSession, sessions.getActiveSession()  # noqa: SLF001
    if before.contains(wanted):
        yield
        return
    sessions.setActiveSession(wanted)
    try:
        yield
    finally:
        if before.isDefined():
            sessions.setActiveSession(before.get())
        else:
            sessions.clearActiveSession()


def find_versions(session: SparkSession) -> Versions:
    """The versions this session really runs, told by the class path."""
    return Versions(
        spark=session.version,
        delta=_jar_version(session, "io.delta.sql.DeltaSparkSessionExtension", r"delta-spark_2\.\d+-(.+)\.jar"),
        deequ=_jar_version(session, "com.amazon.deequ.VerificationSuite", r"deequ-(.+)\.jar"),
        kafka_connector=_jar_version(
            session, "org.apache.spark.sql.kafka010.KafkaSourceProvider", r"spark-sql-kafka-0-10_2\.\d+-(.+)\.jar"
        ),
    )


def _jar_version(session: SparkSession, class_name: str, pattern: str) -> str:
    """The version in the name of the jar that holds a class; empty where the class isn't found."""
    jvm: Any = session._jvm  # noqa: SLF001 - the only way to ask the class path
    try:
        loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
        resource = loader.getResource(class_name.replace(".", "/") + ".class")
    except Exception:  # noqa: BLE001 - py4j has no narrower type for a JVM without the class
        return ""
    found = re.search(pattern.replace(r"(.+)\.jar", r"([^/!]+)\.jar"), str(resource.toString() if resource else ""))
    return found[1] if found else ""
