"""A Spark of a command's own, for what the stream does and a command must do the same way."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import SparkSession

from fluvial.cli.display import shown_progress
from fluvial.io.session import build_session
from fluvial.local.artifacts import ensure_artifacts, spark_jars
from fluvial.local.home import Home
from fluvial.local.java import java_environment


@contextmanager
def spark_session(name: str, home: Home, settings: dict[str, str] | None = None) -> Iterator[SparkSession]:
    """A session of the job's own kind, stopped in the end; what it needs is fetched."""
    with shown_progress() as progress:
        ensure_artifacts(home, ("spark",), progress)
    os.environ.update(java_environment())
    session = build_session(name, spark_jars(home), settings)
    try:
        yield session
    finally:
        session.stop()
