from fluvial.io.broker_offsets import Bounds, count_ahead, find_gap, find_skipped, from_zero, held_ranges
from fluvial.io.parked import OffsetRange


def test_records_dropped_before_they_were_read_are_named() -> None:
    gap = find_gap("cdc-items", {0: 120, 1: 7}, {0: Bounds(340, 900), 1: Bounds(7, 9)})
    assert gap == "cdc-items partition 0, offsets 120 to 339 are gone before anybody read them"


def test_a_topic_that_ends_before_the_next_offset_was_made_anew() -> None:
    gap = find_gap("cdc-items", {0: 120}, {0: Bounds(0, 12)})
    assert gap == "cdc-items was made anew: partition 0 ends at 12, and 120 was to come next"


def test_a_topic_or_a_partition_can_be_gone() -> None:
    assert find_gap("cdc-items", {0: 1}, None) == "topic cdc-items is gone"
    assert find_gap("cdc-items", {0: 1, 3: 5}, {0: Bounds(0, 1)}) == "cdc-items has lost partition 3"


def test_what_was_never_read_can_have_no_gap() -> None:
    assert find_gap("cdc-items", {}, None) == ""
    assert find_gap("cdc-items", {0: 5}, {0: Bounds(5, 5), 1: Bounds(90, 99)}) == ""


def test_of_a_topic_made_anew_the_query_goes_past_what_lies_before_its_new_place() -> None:
    first, end = {0: 120, 1: 7}, {0: 12, 1: 9}
    skipped = find_skipped("cdc-items", first, end, {0: Bounds(0, 15), 1: Bounds(0, 9)})
    assert skipped == [OffsetRange("cdc-items", 0, 0, 12)]


def test_of_a_topic_made_anew_that_has_grown_further_the_query_goes_past_what_lies_before_its_old_place() -> None:
    first, end = {0: 120, 1: 7, 2: 0}, {0: 500, 1: 7, 2: 3}
    bounds = {0: Bounds(0, 600), 1: Bounds(7, 9), 2: Bounds(0, 3)}
    assert find_skipped("cdc-items", first, end, bounds) == []
    assert find_skipped("cdc-items", first, end, bounds, is_anew=True) == [OffsetRange("cdc-items", 0, 0, 120)]


def test_a_partition_that_is_newer_than_the_positions_is_wanted_from_its_beginning() -> None:
    bounds = {0: Bounds(3, 9), 1: Bounds(40, 99), 2: Bounds(0, 5)}
    gap = find_gap("cdc-items", from_zero({0: 5}, bounds), bounds)
    assert gap == "cdc-items partition 1, offsets 0 to 39 are gone before anybody read them"
    assert from_zero({0: 5}, None) == {0: 5}


def test_of_an_accepted_gap_what_is_left_is_read() -> None:
    ranges = [OffsetRange("cdc-items", 0, 0, 10), OffsetRange("cdc-items", 1, 0, 10), OffsetRange("cdc-old", 0, 0, 9)]
    assert held_ranges(ranges, {"cdc-items": {0: Bounds(4, 99), 1: Bounds(50, 99)}}) == (
        OffsetRange("cdc-items", 0, 4, 10),
    )


def test_what_comes_after_a_batch_is_counted_over_topics_and_partitions_new_ones_too() -> None:
    bounds = {
        "cdc-items": {0: Bounds(0, 100), 1: Bounds(40, 90), 2: Bounds(5, 9)},
        "cdc-people": {0: Bounds(0, 7)},
        "cdc-anew": {0: Bounds(0, 3)},
    }
    end = {"cdc-items": {0: 60, 1: 20}, "cdc-people": {0: 7}, "cdc-anew": {0: 50}}
    assert count_ahead(end, bounds) == 40 + 50 + 4
