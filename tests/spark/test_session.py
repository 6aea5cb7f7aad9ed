import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from fluvial.errors import VersionMismatchError
from fluvial.io.session import find_versions, interpreted, suit_batch_size
from fluvial.io.versions import GLUE_5_1, assert_versions


def test_the_session_runs_the_versions_of_the_pinned_glue_release_and_refuses_any_other(spark: SparkSession) -> None:
    assert_versions(find_versions(spark))
    with pytest.raises(VersionMismatchError, match=r"delta is 3\.3\.2, wanted 4\.0\.0"):
        assert_versions(find_versions(spark), replace(GLUE_5_1, delta="4.0.0"))


def test_hadoops_settings_carry_values_without_origins(spark: SparkSession) -> None:
    settings = spark._jsc.hadoopConfiguration()
    for name in ("fs.defaultFS", "io.file.buffer.size", "mapreduce.fileoutputcommitter.algorithm.version"):
        assert settings.get(name)
        assert settings.getPropertySources(name) is None


def test_code_that_was_generated_once_is_not_compiled_again(spark: SparkSession) -> None:
    command = [sys.executable, "-m", "tests.spark.code_room"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert done.stdout.split() == ["compiled", "again:", "0"]


def test_a_small_part_of_a_large_batch_is_interpreted_and_what_follows_is_not(spark: SparkSession) -> None:
    session, code = spark.newSession(), "spark.sql.codegen.factoryMode"
    suit_batch_size(session, 200_000)
    with interpreted(session, 400):
        assert session.conf.get(code) == "NO_CODEGEN"
    with interpreted(session, 6_000):
        assert session.conf.get(code) == "FALLBACK"
    with pytest.raises(ZeroDivisionError), interpreted(session, 400):
        _ = 1 / 0
    assert session.conf.get(code) == "FALLBACK"


def test_what_is_written_to_a_local_disk_has_no_checksum_file_beside(spark: SparkSession, tmp_path: Path) -> None:
    table, copy, checkpoint = (str(tmp_path / name) for name in ("table", "copy", "checkpoint"))
    spark.range(3).coalesce(1).write.format("delta").save(table)
    changes = spark.readStream.format("delta").load(table).writeStream.format("delta")
    changes.option("checkpointLocation", checkpoint).trigger(availableNow=True).start(copy).awaitTermination()
    assert spark.read.format("delta").load(copy).count() == 3
    files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert {"checkpoint/offsets/0", "checkpoint/commits/0"} <= files
    assert not [name for name in files if Path(name).name.startswith(".")]
