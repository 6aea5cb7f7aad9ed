from dataclasses import replace

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
