"""Of which columns of the lake an event says nothing."""

from collections.abc import Iterable

from pyspark.sql import Column
from pyspark.sql import functions as F

from fluvial import columns as c
from fluvial.config.model import Table


def lake_not_authored(table: Table) -> Column:
    """Columns of the lake of which an event says nothing: it says nothing of something that they are made from."""
    told = {name: found.sources for name, found in table.lake_shape.items()}
    if all(sources == {name} for name, sources in told.items()) and len(told) == len(table.columns):
        return F.col(c.NOT_AUTHORED)
    names = F.array_compact(F.array(*(F.when(lacks(sources), F.lit(name)) for name, sources in told.items())))
    return F.when(F.col(c.NOT_AUTHORED).isNotNull() & (F.size(names) > 0), names)


def lacks(sources: Iterable[str]) -> Column:
    """Whether an event says nothing of one of these columns."""
    listed = F.array(*map(F.lit, sorted(sources)))
    return F.coalesce(F.arrays_overlap(F.col(c.NOT_AUTHORED), listed), F.lit(False))
