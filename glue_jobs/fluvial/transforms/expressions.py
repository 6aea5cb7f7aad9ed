"""Terms of `fluvial.config.expressions` as Column expressions."""

import operator
import re
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, Final

from pyspark.sql import Column
from pyspark.sql import functions as F

from fluvial.config.expressions import Term
from fluvial.config.lake_shape import LakeShape
from fluvial.config.types import Family
from fluvial.transforms.change_type import as_number

_BINARY: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "and": operator.and_,
    "or": operator.or_,
}


def compile_term(term: Term, columns: Mapping[str, Column], shape: LakeShape) -> Column:
    """The Column of a term, over these columns."""
    if term.operation == "column":
        return as_number(columns[term.value], shape[term.value].type)
    if term.operation == "constant":
        return _constant(term)
    parts = [compile_term(each, columns, shape) for each in term.terms]
    if term.operation in _BINARY:
        result: Column = _BINARY[term.operation](*parts)
        return result
    return _FUNCTIONS[term.operation](parts, term)


def _constant(term: Term) -> Column:
    if term.kind is Family.TIME:
        return F.lit(term.value).cast("timestamp")
    return F.lit(term.value)


def _text(part: Column) -> Column:
    return part.cast("string")


def _cut(parts: list[Column], term: Term) -> Column:
    """As Python's [a:b]: places count from 0, negative ones from the end."""
    text, (start, stop) = parts[0], term.value
    length = F.length(text)
    first = _place(start, length, F.lit(0))
    last = _place(stop, length, length)
    return F.when(last > first, text.substr(first + 1, last - first)).when(text.isNotNull(), F.lit(""))


def _place(bound: int | None, length: Column, missing: Column) -> Column:
    if bound is None:
        return missing
    return F.greatest(length + bound, F.lit(0)) if bound < 0 else F.least(F.lit(bound), length)


def _item(parts: list[Column], term: Term) -> Column:
    """NULL where there is no such item."""
    place = F.lit(term.value) if term.value >= 0 else F.size(parts[0]) + term.value
    return F.get(parts[0], F.when(place >= 0, place))


def _split(parts: list[Column], term: Term) -> Column:
    return F.split(parts[0], re.sub(r"([^A-Za-z0-9\s])", r"\\\1", term.value[0]), -1)


def _round(parts: list[Column], term: Term) -> Column:
    return F.round(parts[0], *term.value)


def _choice(parts: list[Column], term: Term) -> Column:
    return F.when(parts[0], parts[1]).otherwise(parts[2])


_FUNCTIONS: Final[Mapping[str, Callable[[list[Column], Term], Column]]] = {
    "~": lambda parts, term: F.concat(*map(_text, parts)),
    "negative": lambda parts, term: -parts[0],
    "not": lambda parts, term: ~parts[0],
    "in": lambda parts, term: reduce(operator.or_, (parts[0] == each for each in parts[1:]), F.lit(False)),
    "is none": lambda parts, term: parts[0].isNull(),
    "if": _choice,
    "default": lambda parts, term: F.coalesce(*parts),
    "cut": _cut,
    "item": _item,
    "split": _split,
    "upper": lambda parts, term: F.upper(parts[0]),
    "lower": lambda parts, term: F.lower(parts[0]),
    "trim": lambda parts, term: F.trim(parts[0]),
    "strip": lambda parts, term: F.trim(parts[0]),
    "length": lambda parts, term: F.length(parts[0]),
    "replace": lambda parts, term: F.replace(parts[0], F.lit(term.value[0]), F.lit(term.value[1])),
    "startswith": lambda parts, term: parts[0].startswith(term.value[0]),
    "endswith": lambda parts, term: parts[0].endswith(term.value[0]),
    "round": _round,
    "abs": lambda parts, term: F.abs(parts[0]),
    "string": lambda parts, term: _text(parts[0]),
}
