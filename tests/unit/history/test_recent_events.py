"""What may be in a log already, told by fingerprints."""

from dataclasses import fields
from typing import Any

from fluvial.history import recent_events
from fluvial.history.recent_events import RecentEvents
from fluvial.streams import BatchSummary


def summary(first: str | None, last: str | None, derived: int = 0) -> BatchSummary:
    values: dict[str, Any] = dict.fromkeys((field.name for field in fields(BatchSummary)), 0)
    return BatchSummary(**values | {"min_sequence": first, "max_sequence": last, "derived_events": derived})


def test_nothing_above_the_log_is_in_it() -> None:
    assert not RecentEvents("5").may_hold(summary("6", "9"), None)
    assert RecentEvents("5").may_hold(summary("5", "9"), None)


def test_what_was_there_before_this_process_is_unknown() -> None:
    recent = RecentEvents("5")
    recent.add(summary("6", "8"), {1, 2})
    assert recent.may_hold(summary("5", "7"), {3})
    assert not recent.may_hold(summary("6", "7"), {3})


def test_an_event_that_was_appended_is_found_in_whichever_batch() -> None:
    recent = RecentEvents("")
    recent.add(summary("1", "5"), {1, 2})
    recent.add(summary("4", "8"), {3})
    assert recent.may_hold(summary("2", "6"), {4, 1})
    assert recent.may_hold(summary("2", "6"), {3})
    assert not recent.may_hold(summary("2", "6"), {4})


def test_a_batch_without_fingerprints_or_with_derived_events_leaves_its_range_unknown() -> None:
    for gap in ((summary("1", "5"), None), (summary("1", "5", derived=1), {1})):
        recent = RecentEvents("")
        recent.add(*gap)
        recent.add(summary("6", "8"), {2})
        assert recent.may_hold(summary("5", "9"), {3})
        assert not recent.may_hold(summary("6", "9"), {3})


def test_a_batch_whose_fingerprints_are_unknown_may_repeat_the_log() -> None:
    recent = RecentEvents("")
    recent.add(summary("1", "5"), {1})
    assert recent.may_hold(summary("2", "9"), None)


def test_old_batches_are_forgotten_and_known_to_be(monkeypatch: Any) -> None:
    monkeypatch.setattr(recent_events, "_MOST_KEPT", 3)
    recent = RecentEvents("")
    recent.add(summary("1", "5"), {1, 2})
    recent.add(summary("4", "8"), {3, 4})
    assert recent.may_hold(summary("5", "9"), {9})
    assert not recent.may_hold(summary("6", "9"), {9})
    assert recent.may_hold(summary("6", "9"), {4})


def test_a_batch_of_no_events_changes_nothing_of_what_is_known() -> None:
    recent = RecentEvents("5")
    recent.add(summary(None, None), set())
    assert recent.may_hold(summary("5", "9"), {1})
    assert not recent.may_hold(summary("6", "9"), {1})
