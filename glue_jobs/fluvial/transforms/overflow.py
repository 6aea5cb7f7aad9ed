"""Where an expression's numbers have more digits than Spark's decimals: there it says NULL, as for a missing value.

Source of the digits of a result: Spark's DecimalPrecision, which gives up digits behind the point beyond the sixth
before it gives up one in front.
"""

import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from typing import Final

from pyspark.sql import Column
from pyspark.sql import functions as F

from fluvial.config.expressions import Term
from fluvial.config.lake_shape import LakeShape
from fluvial.config.types import INTEGER_TYPES, MAX_PRECISION, decimal_size, is_exact
from fluvial.transforms.expressions import compile_term

_KEPT_SCALE: Final = 6
_ARITHMETIC: Final = frozenset("+-*/%")
_DIVISIONS: Final = frozenset("/%")


@dataclass(frozen=True)
class Digits:
    """Of an exact number: how many before the point and behind it."""

    before: int
    behind: int

    @property
    def may_overflow(self) -> bool:
        """Whether Spark hasn't room for all those before the point."""
        return self.before + min(self.behind, _KEPT_SCALE) > MAX_PRECISION

    @property
    def kept(self) -> "Digits":
        """Those that Spark has room for."""
        behind = max(min(self.behind, MAX_PRECISION - self.before), min(self.behind, _KEPT_SCALE))
        return Digits(min(self.before, MAX_PRECISION - behind), behind)


def overflow(term: Term, columns: Mapping[str, Column], shape: LakeShape) -> Column | None:
    """Whether a number on the way is lost to a lack of digits, though all that it is made of is there.

    None where that can't be. Of a choice only the side that is taken counts.
    """
    parts = [overflow(each, columns, shape) for each in term.terms]
    if term.operation == "if":
        return _of_choice(parts, compile_term(term.terms[0], columns, shape))
    lost = [part for part in parts if part is not None]
    digits = digits_of(term, shape) if term.operation in _ARITHMETIC else None
    if digits is not None and digits.may_overflow:
        lost.append(_is_lost(term, columns, shape))
    return reduce(operator.or_, lost) if lost else None


def may_sum_overflow(kinds: Iterable[str]) -> bool:
    """Whether a sum of numbers of these types can be lost so."""
    digits = [_of_type(kind) for kind in kinds]
    known = [each for each in digits if each is not None]
    return len(known) == len(digits) and reduce(lambda left, right: _sum(left.kept, right), known).may_overflow


def _is_lost(term: Term, columns: Mapping[str, Column], shape: LakeShape) -> Column:
    left, right = (compile_term(each, columns, shape) for each in term.terms)
    is_there = left.isNotNull() & right.isNotNull()
    if term.operation in _DIVISIONS:
        is_there &= right != 0
    return is_there & compile_term(term, columns, shape).isNull()


def _of_choice(parts: list[Column | None], condition: Column) -> Column | None:
    asked, yes, no = parts
    if asked is yes is no is None:
        return None
    never = F.lit(False)
    taken = F.when(condition, never if yes is None else yes).otherwise(never if no is None else no)
    return taken if asked is None else asked | taken


def digits_of(term: Term, shape: LakeShape) -> Digits | None:
    """Of an expression's number, before Spark takes some away.

    None of a floating number, which has no digits to run out of, and of what is no number.
    """
    if term.operation == "column":
        return _of_type(shape[term.value].type)
    if term.operation == "constant":
        return _of_constant(term.value)
    parts = [digits_of(each, shape) for each in term.terms]
    if term.operation in _ARITHMETIC:
        left, right = (None if part is None else part.kept for part in parts)
        return None if left is None or right is None else _RESULTS[term.operation](left, right)
    known = [part.kept for part in parts if part is not None]
    if not known:
        return None
    return Digits(max(part.before for part in known), max(part.behind for part in known))


def _of_type(kind: str) -> Digits | None:
    if kind in INTEGER_TYPES:
        return Digits(20, 0)
    if not is_exact(kind):
        return None
    precision, scale = decimal_size(kind)
    return Digits(precision - scale, scale)


def _of_constant(value: object) -> Digits | None:
    if not isinstance(value, Decimal):
        return None
    behind = max(-int(value.as_tuple().exponent), 0)
    return Digits(max(value.adjusted() + 1, 1), behind)


def _sum(left: Digits, right: Digits) -> Digits:
    return Digits(max(left.before, right.before) + 1, max(left.behind, right.behind))


def _product(left: Digits, right: Digits) -> Digits:
    return Digits(left.before + right.before + 1, left.behind + right.behind)


def _quotient(left: Digits, right: Digits) -> Digits:
    behind = max(_KEPT_SCALE, left.behind + right.before + right.behind + 1)
    return Digits(left.before + right.behind, behind)


def _remainder(left: Digits, right: Digits) -> Digits:
    return Digits(min(left.before, right.before), max(left.behind, right.behind))


_RESULTS: Final = {"+": _sum, "-": _sum, "*": _product, "/": _quotient, "%": _remainder}
