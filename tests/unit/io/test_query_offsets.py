import pytest

from fluvial.io.query_offsets import Offsets, PlannedBatch, SoleTopic

ITEMS, PEOPLE = "cdc-items", "cdc-people"


@pytest.mark.parametrize(
    ("first", "end", "records"),
    [
        ({ITEMS: {0: 4, 1: 7}, PEOPLE: {0: 2}}, {ITEMS: {0: 9, 1: 7}, PEOPLE: {0: 2}}, 5),
        ({ITEMS: {0: 4}, PEOPLE: {0: 2}}, {ITEMS: {0: 9, 1: 7}, PEOPLE: {0: 2}}, 12),
        ({}, {ITEMS: {0: 9}, PEOPLE: {0: 0}}, 9),
    ],
    ids=["one partition moves", "a new partition", "the query's first batch"],
)
def test_a_batch_of_one_topic_names_it_and_the_most_records_it_can_have(
    first: Offsets, end: Offsets, records: int
) -> None:
    assert PlannedBatch(first, end).sole_topic == SoleTopic(ITEMS, records)


@pytest.mark.parametrize(
    ("first", "end"),
    [
        ({ITEMS: {0: 4}, PEOPLE: {0: 2}}, {ITEMS: {0: 9}, PEOPLE: {0: 3}}),
        ({ITEMS: {0: 4}, PEOPLE: {0: 2}}, {ITEMS: {0: 4}, PEOPLE: {0: 2}}),
        ({ITEMS: {0: 4}, PEOPLE: {0: 2}}, {ITEMS: {0: 9}, PEOPLE: {0: 1}}),
    ],
    ids=["several topics", "none", "a topic that was made anew"],
)
def test_any_other_batch_names_none(first: Offsets, end: Offsets) -> None:
    assert PlannedBatch(first, end).sole_topic is None
