"""Each row of the case table of docs: events in arrival order, then the versions they make."""

from itertools import permutations

import pytest

from tests.oracle.fold import Event, Version, fold

Row = tuple[str | None, int, int | None]
"""Value of column a, sequence, end sequence."""


def put(a: str, sequence: int, b: str | None = "p", **fields: object) -> Event:
    operation = str(fields.pop("operation", "UPDATE"))
    commit_time = fields.pop("commit_time", sequence)
    return Event(1, sequence, operation, commit_time, {"a": a, "b": b}, **fields)  # type: ignore[arg-type]


def toast(a: str, sequence: int, **fields: object) -> Event:
    return put(a, sequence, None, not_authored=frozenset({"b"}), **fields)


def delete(sequence: int, commit_time: int | None = None) -> Event:
    return Event(1, sequence, "DELETE", sequence if commit_time is None else commit_time)


def truncate(sequence: int) -> Event:
    return Event(None, sequence, "TRUNCATE", sequence)


def snapshot(sequence: int, epoch_start: int) -> Event:
    return Event(None, sequence, "SNAPSHOT", sequence, epoch_start=epoch_start)


def gap(sequence: int) -> Event:
    return Event(1, sequence, "UPDATE", sequence, is_quarantined=True)


def rows(*events: Event, track: tuple[str, ...] = ()) -> list[Row]:
    return [(version.values["a"], version.sequence, version.end_sequence) for version in fold(events, track)]


CASES = {
    "late update splits": ([put("A", 5), put("B", 10), put("C", 7)], [("A", 5, 7), ("C", 7, 10), ("B", 10, None)]),
    "late equal": ([put("A", 5), put("A", 3)], [("A", 3, 5), ("A", 5, None)]),
    "delete before insert": ([delete(10), put("A", 5)], [("A", 5, 10)]),
    "second delete is kept": (
        [put("A", 5), delete(10), delete(12), put("B", 11)],
        [("A", 5, 10), ("B", 11, 12)],
    ),
    "late delete leaves a gap": ([put("A", 5), put("B", 10), delete(7)], [("A", 5, 7), ("B", 10, None)]),
    "delete wins a tie": ([put("A", 5), put("B", 10), delete(10)], [("A", 5, 10)]),
    "never joined over a gap": ([put("A", 5), delete(10), put("A", 12)], [("A", 5, 10), ("A", 12, None)]),
    "again": ([put("A", 5), put("A", 5)], [("A", 5, None)]),
    "tie": ([put("A", 5, payload_hash=1), put("B", 5, payload_hash=2)], [("B", 5, None)]),
    "unknown key": ([put("A", 5)], [("A", 5, None)]),
    "truncate then late": ([truncate(8), put("A", 5)], [("A", 5, 8)]),
    "equal snapshot row": ([put("A", 5), put("A", 20, operation="READ")], [("A", 5, None)]),
    "other snapshot row": ([put("A", 5), put("B", 20, operation="READ")], [("A", 5, 20), ("B", 20, None)]),
    "snapshot row after a gap": (
        [put("A", 5), gap(8), put("A", 20, operation="READ")],
        [("A", 5, 20), ("A", 20, None)],
    ),
    "a complete snapshot without the row": ([put("A", 5), snapshot(20, 15)], [("A", 5, 20)]),
    "a complete snapshot with the row": (
        [put("A", 5), put("A", 20, operation="READ"), snapshot(20, 15)],
        [("A", 5, None)],
    ),
    "gone and come back": (
        [put("A", 5), snapshot(20, 15), put("A", 22)],
        [("A", 5, 20), ("A", 22, None)],
    ),
    "an interrupted snapshot, and the one taken again": (
        [put("A", 5), put("B", 20, operation="READ"), snapshot(21, 15)],
        [("A", 5, 20), ("B", 20, 21)],
    ),
    "a quarantined row of the snapshot is there": (
        [put("A", 5), gap(20), snapshot(20, 15)],
        [("A", 5, None)],
    ),
    "repaired": ([put("A", 5), gap(8), put("B", 8)], [("A", 5, 8), ("B", 8, None)]),
}
TRACKED_CASES = {
    "late equal": ([put("A", 5), put("A", 3)], [("A", 3, None)]),
    "late other": ([put("A", 5), put("A", 10), put("B", 7)], [("A", 5, 7), ("B", 7, 10), ("A", 10, None)]),
    "not over a delete": ([put("A", 5), delete(10), put("A", 12)], [("A", 5, 10), ("A", 12, None)]),
    "not over a gap marker": ([put("A", 5), gap(7), put("A", 9)], [("A", 5, 9), ("A", 9, None)]),
}


@pytest.mark.parametrize("case", CASES)
def test_each_case_gives_its_versions_in_every_order_of_arrival(case: str) -> None:
    events, expected = CASES[case]
    assert all(rows(*order) == expected for order in permutations(events))


@pytest.mark.parametrize("case", TRACKED_CASES)
def test_each_tracked_case_gives_its_versions_in_every_order_of_arrival(case: str) -> None:
    events, expected = TRACKED_CASES[case]
    assert all(rows(*order, track=("a",)) == expected for order in permutations(events))


def test_a_late_event_changes_what_an_unchanged_column_inherits() -> None:
    versions = fold([put("x", 5, "p"), toast("y", 9), put("z", 7, "q")])
    assert [version.values["b"] for version in versions] == ["p", "q", "q"]


@pytest.mark.parametrize("end", [delete(8), truncate(8), gap(8)])
def test_nothing_is_inherited_across_the_end_of_a_life(end: Event) -> None:
    last = fold([put("A", 5), end, toast("B", 9)])[-1]
    assert (last.values["b"], last.unresolved) == (None, {"b"})


def test_a_column_that_its_life_never_states_stays_unresolved() -> None:
    versions = fold([toast("x", 5), toast("y", 9), put("z", 10, "q"), toast("x", 11)])
    assert [version.unresolved for version in versions] == [{"b"}, {"b"}, frozenset(), frozenset()]


def test_a_snapshot_row_that_resolves_a_column_opens_a_version() -> None:
    versions = fold([toast("x", 5), put("x", 7, None, operation="READ")])
    assert [version.unresolved for version in versions] == [{"b"}, frozenset()]


def test_a_clock_that_runs_backwards_never_makes_an_interval_run_backwards() -> None:
    versions = fold([put("A", 1, commit_time=10), put("B", 2, commit_time=4), put("C", 3, commit_time=12)])
    assert [(version.effective_from, version.effective_to) for version in versions] == [(10, 10), (10, 12), (12, None)]


def test_a_late_delete_with_a_later_clock_moves_what_follows() -> None:
    versions = fold([put("B", 5, commit_time=20), delete(3, commit_time=50)])
    assert versions == [Version(1, 5, "UPDATE", {"a": "B", "b": "p"}, 50)]


def test_versions_of_one_transaction_have_zero_length() -> None:
    versions = fold([put("A", 1, commit_time=7), put("B", 2, commit_time=7)])
    assert [(version.effective_from, version.effective_to) for version in versions] == [(7, 7), (7, None)]


def test_a_version_is_uncertain_from_the_first_gap_marker_before_its_end() -> None:
    versions = fold([put("A", 5), gap(7), gap(8), put("B", 9), delete(10), gap(11)])
    assert [version.uncertain_since for version in versions] == [7, None]


@pytest.mark.parametrize(
    ("events", "since"),
    [
        ([put("A", 5), snapshot(20, 15)], 15),
        ([put("A", 5), gap(7), snapshot(20, 15)], 7),
        ([put("A", 17), snapshot(20, 15)], 17),
        ([put("A", 5), delete(9), snapshot(20, 15)], None),
    ],
)
def test_an_inferred_delete_is_marked_from_where_nothing_was_captured(events: list[Event], since: int | None) -> None:
    assert fold(events)[0].uncertain_since == since


def test_nothing_is_inherited_across_an_inferred_delete() -> None:
    assert fold([put("A", 5), snapshot(20, 15), toast("B", 22)])[-1].unresolved == {"b"}


def test_a_tracked_run_shows_the_newest_untracked_values() -> None:
    versions = fold([put("A", 5, "p", operation="INSERT"), put("A", 7, "q")], ["a"])
    assert versions == [Version(1, 5, "INSERT", {"a": "A", "b": "q"}, 5)]


def test_a_truncate_ends_every_key() -> None:
    other = Event(2, 6, "INSERT", 6, {"a": "Z", "b": None})
    assert [version.end_sequence for version in fold([put("A", 5), other, truncate(8)])] == [8, 8]


def test_a_key_change_closes_one_key_and_opens_another() -> None:
    moved = Event(2, 9, "INSERT", 9, {"a": "A", "b": "p"})
    assert [
        (version.key, version.sequence, version.end_sequence) for version in fold([put("A", 5), delete(9), moved])
    ] == [
        (1, 5, 9),
        (2, 9, None),
    ]
