import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from fluvial.errors import VersionMismatchError
from fluvial.io.session import find_versions
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
