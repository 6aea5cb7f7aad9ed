"""What an envelope's word for an operation means."""

from collections.abc import Mapping
from itertools import chain

from pyspark.sql import Column
from pyspark.sql import functions as F


def operation_of(word: Column, operations: Mapping[str, str]) -> Column:
    """The operation by its word; null for any other. One look into a map: the word stands in the plan once."""
    entries = ((F.lit(known), F.lit(operation)) for known, operation in operations.items())
    return F.create_map(*chain.from_iterable(entries))[word]
