"""One Spark session for the suite: starting one costs more than most tests."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from pyspark.sql import SparkSession

from fluvial.config.locations import Locations
from fluvial.config.model import UseCase
from fluvial.io.lake_writer import LakeWriter
from fluvial.io.session import build_session
from fluvial.local.artifacts import ensure_artifacts, spark_jars
from fluvial.local.home import default_home
from fluvial.local.java import java_environment
from tests.spark.records import TINY, MakeWriter

# Unlike a laptop's stream, the suite runs long enough for the JVM's second compiler to pay.
_SETTINGS: Final = {
    "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:ReservedCodeCacheSize=256m -XX:+DisplayVMOutputToStderr",
    "spark.driver.memory": "2g",
}


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """The job's own session."""
    home = default_home()
    os.environ.update(java_environment())
    ensure_artifacts(home, ("spark",))
    # Airflow, imported by other tests, turns on what py4j says when the process ends and its streams are closed.
    logging.getLogger("py4j").setLevel(logging.WARNING)
    session = build_session("tests", spark_jars(home), _SETTINGS)
    yield session
    session.stop()


@pytest.fixture(autouse=True)
def forget_tables(request: pytest.FixtureRequest) -> Iterator[None]:
    """Delta keeps what it knows of every table for an hour: the tables of a whole suite would fill the heap."""
    yield
    if "spark" in request.fixturenames:
        request.getfixturevalue("spark")._jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()


@pytest.fixture
def tiny() -> UseCase:
    """Two small tables."""
    return UseCase.model_validate(TINY)


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """An empty lake."""
    return tmp_path / "s3"


@pytest.fixture
def make_writer(spark: SparkSession, tiny: UseCase, lake: Path) -> MakeWriter:
    """Writers of the tiny use case's lake; each query id is a stream with a checkpoint of its own."""

    def make(query_id: str = "query-1") -> LakeWriter:
        return LakeWriter(spark, tiny, Locations(tiny, lake), query_id)

    return make
