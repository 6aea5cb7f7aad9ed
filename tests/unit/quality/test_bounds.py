"""A range's bounds as values of the column's own type."""

from decimal import Decimal

import pytest

from fluvial.quality.bounds import compared_type, greatest_up_to, least_from

INFINITE = float("inf")
LARGEST = Decimal("9" * 38)
CASES = [
    (-90, "decimal(9,6)", "-90", "-90"),
    (0.001, "decimal(9,3)", "0.001", "0.001"),
    (0.0015, "decimal(9,3)", "0.002", "0.001"),
    (-0.0015, "decimal(9,3)", "-0.001", "-0.002"),
    (99.95, "decimal(3,1)", None, "99.9"),
    (100, "decimal(3,1)", None, "99.9"),
    (-100, "decimal(3,1)", "-99.9", None),
    (1e16, "decimal(20,0)", "10000000000000000", "10000000000000000"),
    (0.5, "decimal(38,0)", "1", "0"),
    (1e300, "decimal(38,0)", None, str(LARGEST)),
    (INFINITE, "decimal(9,3)", None, "999999.999"),
    (-INFINITE, "decimal(9,3)", "-999999.999", None),
    (5, "int", "5", "5"),
    (5.5, "int", "6", "5"),
    (-5.5, "int", "-5", "-6"),
    (1e16, "bigint", "10000000000000000", "10000000000000000"),
    (1e19, "bigint", None, "9223372036854775807"),
    (-1e19, "bigint", "-9223372036854775808", None),
    (INFINITE, "smallint", None, "9223372036854775807"),
]


@pytest.mark.parametrize(("bound", "column", "least", "greatest"), CASES)
def test_a_bound_between_two_values_of_its_column_is_the_next_one_inside(
    bound: float, column: str, least: str | None, greatest: str | None
) -> None:
    assert least_from(bound, column) == (None if least is None else Decimal(least))
    assert greatest_up_to(bound, column) == (None if greatest is None else Decimal(greatest))


def test_columns_are_compared_in_their_own_type_or_the_widest_of_its_kind() -> None:
    kinds = ("decimal(9,6)", "int", "float", "double", "date", "timestamp")
    assert [compared_type(kind) for kind in kinds] == [
        "decimal(9,6)",
        "bigint",
        "double",
        "double",
        "date",
        "timestamp",
    ]
