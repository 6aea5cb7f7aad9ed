"""Delta's own transaction: files are written first and become part of the table by one commit, or never.

It is as strict as any of Delta's commands: what others commit meanwhile and would be undone or overlooked makes the
commit fail. The Python API has none, so this one lives in the JVM.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession

from fluvial.io import delta
from fluvial.io.commit_lock import commit_lock
from fluvial.io.session import active


@dataclass
class DeltaTransaction:
    """On one version of a table; on the newest where none is named."""

    session: SparkSession
    path: str
    version: int | None = None

    def __post_init__(self) -> None:
        self._jvm = delta.jvm(self.session)
        self.log = delta.delta_log(self.session, self.path)
        with active(self.session):
            self.inner = self.log.startTransaction(self.none(), self._jvm.scala.Option.apply(self._snapshot()))

    def _snapshot(self) -> Any:
        if self.version is None:
            return delta.newest_snapshot(self.session, self.log)
        return self.log.getSnapshotAt(self.version, self.none(), self.none())

    @property
    def snapshot(self) -> delta.Snapshot | None:
        """The table that it started from."""
        return delta.read_snapshot(self.inner.snapshot())

    def find_files(self, condition: Column) -> list[Any]:
        """The AddFiles, with their statistics, that meet a condition over `stats`, in one Spark job.

        Delta's own search for the files of a query drops the statistics, which say later what the files are good for.
        """
        return list(self._found(condition).collectAsList())

    def find_few(self, condition: Column, most: int) -> list[Any] | None:
        """The same; None where more than `most` meet it. One partition, because a limit takes a job for the first."""
        found = self._found(condition).coalesce(1).limit(most + 1).collectAsList()
        return None if found.size() > most else list(found)

    def _found(self, condition: Column) -> Any:
        with active(self.session):
            return self.inner.snapshot().allFiles().where(condition._jc)  # noqa: SLF001

    def track(self, files: Sequence[Any], rows: Column | None = None) -> None:
        """Tells Delta what was read: the commit is refused where others remove such a file, or add such rows; or any.

        A condition on rows costs an analysis by Spark.
        """
        expression = self._everything() if rows is None else self._resolved(rows)
        with active(self.session):
            self.inner.trackReadPredicates(self.seq([expression]), False, rows is not None)
            self.inner.trackFilesRead(self.seq(files))

    def _everything(self) -> Any:
        return self._jvm.org.apache.spark.sql.catalyst.expressions.Literal.TrueLiteral()

    def _resolved(self, rows: Column) -> Any:
        wanted = delta.read(self.session, self.path).where(rows)
        return wanted._jdf.queryExecution().analyzed().condition()  # noqa: SLF001

    def rows_of(self, files: Sequence[Any]) -> DataFrame:
        """The rows of some AddFiles."""
        with active(self.session):
            frame = self.log.createDataFrame(self.inner.snapshot(), self.seq(files), False, self.none())
        return DataFrame(frame, self.session)

    def is_there(self, file: Any) -> bool:
        """Whether an AddFile's data still is where it was: what no version holds any more is deleted some day."""
        path = file.absolutePath(self.log)
        return bool(path.getFileSystem(self.log.newDeltaHadoopConf()).exists(path))

    def write_files(self, rows: DataFrame) -> list[Any]:
        """Writes rows into the table's folder, in one Spark job; what it returns are Delta's AddFiles."""
        with active(self.session):
            return delta.listed(self.inner.writeFiles(rows._jdf))  # noqa: SLF001

    def commit(self, actions: Sequence[Any], note: str, *, is_append: bool) -> int:
        """Makes the actions the table's next version, and returns its number."""
        mode = self._jvm.org.apache.spark.sql.SaveMode
        write = getattr(self._jvm.org.apache.spark.sql.delta, "DeltaOperations$Write")
        noted = self._jvm.scala.Option.apply(note)
        operation = write(mode.Append if is_append else mode.Overwrite, self.none(), self.none(), noted)
        with active(self.session), commit_lock(self.path):
            return int(self.inner.commit(self.seq(actions), operation))

    def none(self) -> Any:
        """Scala's."""
        return delta.scala_object(self._jvm.scala, "None")

    def seq(self, items: Sequence[Any]) -> Any:
        """Scala's."""
        return self._jvm.PythonUtils.toSeq(list(items))
