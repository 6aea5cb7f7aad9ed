"""Aggregates that are computed on the way, by the first action on a frame."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyspark.sql import Column, DataFrame


@dataclass
class Aggregates:
    """Aggregates with names, handed over to the JVM once, not by a call for each in every batch."""

    columns: Sequence[Column]
    _handed_over: tuple[Any, Any] | None = field(default=None, init=False)

    def in_jvm(self, jvm: Any) -> tuple[Any, Any]:
        """The first one, and a Scala sequence of the others."""
        if self._handed_over is None:
            first, *others = (column._jc for column in self.columns)  # noqa: SLF001
            self._handed_over = first, jvm.PythonUtils.toSeq(others)
        return self._handed_over


@dataclass(frozen=True)
class Observed:
    """The frame to run, and its aggregates once that was done."""

    rows: DataFrame
    read: Callable[[], str]
    """The aggregates as JSON: PySpark would fetch names and values one by one."""

    @property
    def values(self) -> dict[str, Any]:
        """Whole numbers, doubles and texts by their names; waits until an action on the rows has ended."""
        values: dict[str, Any] = json.loads(self.read())
        return values


def observe(rows: DataFrame, aggregates: Aggregates) -> Observed:
    """The rows, observed: by Spark's own `Observation`."""
    jvm: Any = rows.sparkSession._jvm  # noqa: SLF001 - PySpark's own way to an observation
    observation = jvm.org.apache.spark.sql.Observation()
    observed = observation.on(rows._jdf, *aggregates.in_jvm(jvm))  # noqa: SLF001
    writer = jvm.com.fasterxml.jackson.databind.ObjectMapper()
    return Observed(
        DataFrame(observed, rows.sparkSession), lambda: str(writer.writeValueAsString(observation.getAsJava()))
    )
