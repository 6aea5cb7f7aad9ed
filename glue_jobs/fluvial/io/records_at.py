"""Finds records again by their place in Kafka."""

import json
import operator
from collections.abc import Sequence
from functools import reduce

from pyspark.sql import Column
from pyspark.sql import functions as F

from fluvial.io import delta
from fluvial.quality.set_aside import Places
from fluvial.streams import Records


def records_at(places: Places, records: Records) -> Records:
    """The records that stand at the places, of which there must be one; by one task, because they are few."""
    there = (
        (F.col("partition") == partition) & _is_among("offset", offsets, records)
        for partition, offsets in places.offsets.items()
    )
    return Records(records.where(reduce(operator.or_, there)).coalesce(1))


def _is_among(column: str, numbers: Sequence[int], records: Records) -> Column:
    """What Spark makes of an IN with many literals in the end; until then each of its rules would walk over them."""
    jvm = delta.jvm(records.sparkSession)
    jackson = jvm.com.fasterxml.jackson.databind
    reader = jackson.ObjectMapper().configure(jackson.DeserializationFeature.USE_LONG_FOR_INTS, True)
    numbers_there = reader.readValue(json.dumps(numbers), jvm.java.lang.Class.forName("java.util.ArrayList"))
    wanted = jvm.PythonUtils.toSeq(numbers_there).toSet()
    is_there = jvm.org.apache.spark.sql.catalyst.expressions.InSet(F.col(column)._jc.expr(), wanted)  # noqa: SLF001
    return Column(jvm.org.apache.spark.sql.Column(is_there))
