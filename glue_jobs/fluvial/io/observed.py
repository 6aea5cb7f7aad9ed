"""Aggregates that are computed on the way, by the first action on a frame."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column, DataFrame, Observation


@dataclass(frozen=True)
class Observed:
    """The frame to run, and its aggregates once that was done."""

    rows: DataFrame
    observation: Observation

    @property
    def values(self) -> dict[str, Any]:
        """Whole numbers, doubles and texts by their names; waits until an action on the rows has ended.

        Taken out of the JVM as one text: PySpark fetches names and values one by one.
        """
        jvm: Any = self.rows.sparkSession._jvm  # noqa: SLF001 - PySpark's own way to an observation
        observation: Any = self.observation._jo  # noqa: SLF001
        writer = jvm.com.fasterxml.jackson.databind.ObjectMapper()
        values: dict[str, Any] = json.loads(writer.writeValueAsString(observation.getAsJava()))
        return values


def observe(rows: DataFrame, aggregates: Sequence[Column]) -> Observed:
    """The rows, observed; the aggregates need names."""
    observation = Observation()
    return Observed(rows.observe(observation, *aggregates), observation)
