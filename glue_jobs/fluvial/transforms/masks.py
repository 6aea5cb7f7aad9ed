"""`mask_rows`: what a quarantined row may show."""

from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fluvial.config.model import Table
from fluvial.config.types import family
from fluvial.transforms.change import change_column


@dataclass(frozen=True)
class Masked:
    """Events with the working columns of their masks, the columns of the source over them, and the after-image."""

    events: DataFrame
    columns: Mapping[str, Column]
    image: Column


def mask_rows(events: DataFrame, table: Table, image: Column) -> Masked:
    """Every column of the source, and the map of its raw texts, with the masking transforms only."""
    events, hidden = _masked(events, table)
    # What a mask made of a number or a date isn't one any longer: its text is in the after-image.
    columns = {
        column.name: hidden.get(column.name, F.col(column.name)).cast(column.type).alias(column.name)
        for column in table.columns
    }
    return Masked(events, columns, _masked_texts(image, hidden))


def _masked_texts(image: Column, hidden: Mapping[str, Column]) -> Column:
    """A text that can't be read as its type is hidden whole."""
    if not hidden:
        return image
    shown = F.map_filter(image, lambda name, _: ~name.isin(*hidden))
    # Not transform_values: inside its lambda, Spark takes a column's name for that of the masked column beside it.
    told = (
        F.when(F.map_contains_key(image, name), F.struct(F.lit(name), value.cast("string")))
        for name, value in hidden.items()
    )
    return F.map_concat(shown, F.map_from_entries(F.array_compact(F.array(*told))))


def _masked(events: DataFrame, table: Table) -> tuple[DataFrame, dict[str, Column]]:
    """Masked source columns; a mask that needs text takes a number's or a date's text."""
    types = {column.name: column.type for column in table.columns}
    hidden: dict[str, Column] = {}
    masks = ((step, name) for step, shape in table.shapes() if step.masks for name in shape[step.column].sources)
    for number, (mask, name) in enumerate(masks):
        if name in hidden:
            # By its name: a mask mentions its input several times.
            working = f"_masked_{number}_{name}"
            events, hidden[name] = events.withColumn(working, hidden[name]), F.col(working)
        value = hidden.get(name, F.col(name))
        takes = family(types[name]) in mask.accepts
        hidden[name] = change_column(mask, value if takes else value.cast("string"), types[name])
    return events, hidden
