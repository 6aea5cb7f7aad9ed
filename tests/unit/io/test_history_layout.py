"""How many versions a file of the history may hold."""

import pytest

from fluvial.io.history_layout import most_in_a_file


@pytest.mark.parametrize(
    ("rows", "most"), [(0, 10_000), (20_000, 10_000), (160_000, 10_000), (1_600_000, 100_000), (16_000_000, 1_000_000)]
)
def test_files_are_small_but_not_many(rows: int, most: int) -> None:
    assert most_in_a_file(rows) == most
