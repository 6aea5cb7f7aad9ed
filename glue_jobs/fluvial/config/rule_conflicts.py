"""Rules that can't be kept, alone or together, and rules that say nothing new."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Any, Final

from fluvial.config.codes import Code
from fluvial.config.findings import Finding
from fluvial.config.model import Table
from fluvial.config.rules import AllowedValuesRule, LengthRule, RangeRule, Rule
from fluvial.config.types import Family, decimal_size, family
from fluvial.config.values import as_decimal, as_time

_INTEGER_BITS: Final = {"tinyint": 8, "smallint": 16, "int": 32, "bigint": 64}

Comparable = Any
"""A Decimal, a datetime or a text: whatever values of the column's type are compared as; None where there is none."""


@dataclass(frozen=True)
class _Allowed:
    """What a rule lets pass, inclusive; `values` is None where a range says it."""

    position: int
    rule_id: str
    low: Comparable = None
    high: Comparable = None
    values: frozenset[Comparable] | None = None


def conflict_findings(table: Table, types: Mapping[str, str]) -> Iterator[Finding]:
    """Each rule against its column's type and the earlier rules of the column; linear, however many there are."""
    rules = [(position, rule) for position, rule in enumerate(table.dq_rules) if _fits(rule, types)]
    rules.sort(key=lambda each: each[1].column)
    for column, group in groupby(rules, lambda each: each[1].column):
        of_column = list(group)
        yield from _repeated(of_column)
        allowed = [found for each in of_column if (found := _allowed(*each, types[column])) is not None]
        ranges = [each for each in allowed if each.values is None]
        lengths = [_Allowed(at, rule.id, *_bounds(rule)) for at, rule in of_column if isinstance(rule, LengthRule)]
        yield from _beyond_type(ranges, types[column])
        yield from _disjoint_ranges(ranges)
        yield from _disjoint_ranges(lengths)
        yield from _disjoint_lists([each for each in allowed if each.values is not None], ranges, lengths)


def _fits(rule: Rule, types: Mapping[str, str]) -> bool:
    return rule.column in types and family(types[rule.column]) in rule.accepts


def _repeated(rules: Sequence[tuple[int, Rule]]) -> Iterator[Finding]:
    first: dict[str, str] = {}
    for position, rule in rules:
        earlier = first.setdefault(f"{rule.type} {rule.params!r}", rule.id)
        if earlier != rule.id:
            message = f"rule '{rule.id}' says the same as rule '{earlier}'"
            yield Finding(("dq_rules", position), Code.DUPLICATE_RULE, message, "remove one of the two")


def _beyond_type(ranges: Sequence[_Allowed], spark_type: str) -> Iterator[Finding]:
    smallest, largest = _limits(spark_type)
    for each in ranges:
        if _is_above(each.low, largest) or _is_above(smallest, each.high):
            message = f"no value of a {spark_type} column lies in the range of rule '{each.rule_id}'"
            hint, expected = "correct the bounds or the column's type", f"{smallest} to {largest}"
            yield Finding(("dq_rules", each.position, "params"), Code.NEVER_PASSES, message, hint, expected)


def _disjoint_ranges(ranges: Sequence[_Allowed]) -> Iterator[Finding]:
    for each, tightest in zip(ranges, _tightest(ranges), strict=False):
        for other in tightest:
            if other is not None and (_is_above(each.low, other.high) or _is_above(other.low, each.high)):
                yield _contradiction(other, each)
                break


def _bounds(rule: LengthRule) -> tuple[Comparable, Comparable]:
    low, high = rule.params.min, rule.params.max
    return (None, None) if _is_above(low, high) else (low, high)


def _disjoint_lists(
    lists: Sequence[_Allowed], ranges: Sequence[_Allowed], lengths: Sequence[_Allowed]
) -> Iterator[Finding]:
    bounds = [(each, False) for each in _tightest(ranges)[-1]] + [(each, True) for each in _tightest(lengths)[-1]]
    left: frozenset[Comparable] = frozenset()
    for earlier, each in zip([None, *lists], lists, strict=False):
        values = each.values or frozenset()
        if earlier is not None and not left & values:
            yield _contradiction(earlier, each)
        left = left & values or values
        for bound, is_length in bounds:
            if bound is not None and not any(_is_inside(len(v) if is_length else v, bound) for v in values):
                yield _contradiction(*sorted((bound, each), key=lambda one: one.position))
                break


def _tightest(ranges: Sequence[_Allowed]) -> list[tuple[_Allowed | None, _Allowed | None]]:
    """Before each range, and after the last: those with the highest lower and the lowest upper bound so far."""
    low: _Allowed | None = None
    high: _Allowed | None = None
    found = [(low, high)]
    for each in ranges:
        if each.low is not None and (low is None or each.low > low.low):
            low = each
        if each.high is not None and (high is None or each.high < high.high):
            high = each
        found.append((low, high))
    return found


def _contradiction(earlier: _Allowed, later: _Allowed) -> Finding:
    message = f"no value passes rule '{later.rule_id}' and rule '{earlier.rule_id}' both"
    path = ("dq_rules", later.position, "params")
    return Finding(path, Code.CONTRADICTION, message, "correct one of the two, or remove it")


def _is_above(low: Comparable, high: Comparable) -> bool:
    return low is not None and high is not None and bool(low > high)


def _is_inside(value: Comparable, bounds: _Allowed) -> bool:
    return not _is_above(bounds.low, value) and not _is_above(value, bounds.high)


def _allowed(position: int, rule: Rule, spark_type: str) -> _Allowed | None:
    comparable = _comparable(spark_type)
    match rule:
        case RangeRule(params=params):
            low, high = comparable(params.min), comparable(params.max)
            return None if _is_above(low, high) else _Allowed(position, rule.id, low, high)
        case AllowedValuesRule(params=params):
            values = frozenset(comparable(value) for value in params.values)
            return _Allowed(position, rule.id, values=values - {None})
    return None


def _comparable(spark_type: str) -> Callable[[Any], Comparable]:
    match family(spark_type):
        case Family.NUMBER:
            return _finite
        case Family.TIME:
            return as_time
        case Family.BOOLEAN:
            return lambda value: str(value).lower()
    return lambda value: None if value is None else str(value)


def _finite(value: Any) -> Decimal | None:
    number = as_decimal(value)
    return number if number is not None and number.is_finite() else None


def _limits(spark_type: str) -> tuple[Decimal | None, Decimal | None]:
    """The smallest and largest number of a type; None where it sets no limit that a bound could pass."""
    if (bits := _INTEGER_BITS.get(spark_type)) is not None:
        return Decimal(-(2 ** (bits - 1))), Decimal(2 ** (bits - 1) - 1)
    if spark_type.startswith("decimal"):
        precision, scale = decimal_size(spark_type)
        largest = Decimal((0, (9,) * precision, -scale))
        return -largest, largest
    return None, None
