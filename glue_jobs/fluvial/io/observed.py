"""Aggregates that are computed on the way, by the first action on a frame."""

import json
from collections.abc import Sequence
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
    """The frame to run, and its aggregates once that was done: by Spark's own `Observation`."""

    rows: DataFrame
    observation: Any

    @property
    def values(self) -> dict[str, Any]:
        """Whole numbers, doubles and texts by their names; waits until an action on the rows has ended.

        Taken out of the JVM as one text: PySpark fetches names and values one by one.
        """
        jvm: Any = self.rows.sparkSession._jvm  # noqa: SLF001 - PySpark's own way to an observation
        writer = jvm.com.fasterxml.jackson.databind.ObjectMapper()
        values: dict[str, Any] = json.loads(writer.writeValueAsString(self.observation.getAsJava()))
        return values


def observe(rows: DataFrame, aggregates: Aggregates) -> Observed:
    """The rows, observed."""
    jvm: Any = rows.sparkSession._jvm  # noqa: SLF001
    observation = jvm.org.apache.spark.sql.Observation()
    observed = observation.on(rows._jdf, *aggregates.in_jvm(jvm))  # noqa: SLF001
    return Observed(DataFrame(observed, rows.sparkSession), observation)
