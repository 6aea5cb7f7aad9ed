"""The type in which a range's bound is compared with its column."""

import pytest

from fluvial.quality.predicates import bound_type

CASES = [
    (-90, "decimal(9,6)", "decimal(9,6)"),
    (0.001, "decimal(9,3)", "decimal(9,3)"),
    (0.0015, "decimal(9,3)", "decimal(38,10)"),
    (99.9, "decimal(3,1)", "decimal(3,1)"),
    (100, "decimal(3,1)", "decimal(38,10)"),
    (-100, "decimal(3,1)", "decimal(38,10)"),
    (1e16, "decimal(20,0)", "decimal(20,0)"),
    (float("inf"), "decimal(9,3)", "decimal(38,10)"),
    (5, "int", "bigint"),
    (1e16, "bigint", "bigint"),
    (5.5, "int", "decimal(38,10)"),
    (1e19, "bigint", "decimal(38,10)"),
    (5, "double", "double"),
    (5.5, "float", "double"),
    ("2024-01-31", "date", "date"),
]


@pytest.mark.parametrize(("bound", "column", "compared"), CASES)
def test_a_bound_has_its_column_s_type_where_that_holds_it_exactly(
    bound: float | str, column: str, compared: str
) -> None:
    assert bound_type(bound, column) == compared
