"""Figures over several columns of one row, where null is passed over; values of a reference table."""

import json
import operator
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Final

from pyspark.sql import Column
from pyspark.sql import functions as F


def _count(fields: Sequence[Column]) -> Column:
    return reduce(operator.add, (field.isNotNull().cast("int") for field in fields))


def _sum(fields: Sequence[Column]) -> Column:
    """NULL where every field is."""
    total = reduce(operator.add, (F.coalesce(field, F.lit(0)) for field in fields))
    return F.when(_count(fields) > 0, total)


def _average(fields: Sequence[Column]) -> Column:
    return _sum(fields) / F.when(_count(fields) > 0, _count(fields))


def _least(fields: Sequence[Column]) -> Column:
    return F.least(*fields) if len(fields) > 1 else fields[0]


def _greatest(fields: Sequence[Column]) -> Column:
    return F.greatest(*fields) if len(fields) > 1 else fields[0]


def look_up(rows: Mapping[str, str | None], key: Column) -> Column:
    """The text behind a key; Spark makes the map once, when it plans, and ships it as a constant."""
    known = F.from_json(F.lit(json.dumps(dict(rows))), "map<string,string>")
    return known[key.cast("string")]


AGGREGATES: Final[Mapping[str, Callable[[Sequence[Column]], Column]]] = {
    "sum": _sum,
    "avg": _average,
    "min": _least,
    "max": _greatest,
    "count": _count,
}
