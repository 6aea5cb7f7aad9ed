"""The oracle: what a history must be, as a plain fold over one key's events; it shares no code with the product.

Written from the contract alone: events of a key in sequence order, one at a time, no windows, no sets of keys.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from types import MappingProxyType
from typing import Any, NamedTuple

Values = Mapping[str, Any]


class Event(NamedTuple):
    """A change event as the log holds it; a TRUNCATE has no key, a DELETE no values.

    A SNAPSHOT has no key either: it says that the snapshot at its sequence is complete, and `epoch_start` from where on
    nothing is known of what the snapshot doesn't show.
    """

    key: Any
    sequence: Any
    operation: str
    commit_time: Any
    values: Values = MappingProxyType({})
    not_authored: frozenset[str] = frozenset()
    payload_hash: int = 0
    is_quarantined: bool = False
    epoch_start: Any = None


class Version(NamedTuple):
    """One row of the history; ends are None while it is open."""

    key: Any
    sequence: Any
    operation: str
    values: Values
    effective_from: Any
    effective_to: Any = None
    end_sequence: Any = None
    uncertain_since: Any = None
    unresolved: frozenset[str] = frozenset()


def fold(events: Iterable[Event], track_columns: Collection[str] = ()) -> list[Version]:
    """Every version of every key, by key and sequence."""
    of_key: defaultdict[Any, list[Event]] = defaultdict(list)
    keyless: list[Event] = []
    for event in events:
        (keyless if event.operation in {"TRUNCATE", "SNAPSHOT"} else of_key[event.key]).append(event)
    keys = sorted(of_key)
    return [version for key in keys for version in fold_key(key, of_key[key] + keyless, track_columns)]


def fold_key(key: Any, events: Sequence[Event], track_columns: Collection[str] = ()) -> list[Version]:
    """The versions of one key, from its own events and every TRUNCATE and SNAPSHOT."""
    story = _Story(key, track_columns)
    by_sequence = attrgetter("sequence")
    for _, rivals in groupby(sorted(events, key=by_sequence), by_sequence):
        story.tell(list(rivals))
    return story.versions


def winner(rivals: Sequence[Event]) -> Event:
    """Of events at one sequence of one key, the one that counts; the same in every order of arrival."""
    return rivals[0] if len(rivals) == 1 else max(rivals, key=_strength)


def _strength(event: Event) -> tuple[bool, bool, bool, bool, int, str]:
    return (
        event.operation != "SNAPSHOT",
        event.operation == "TRUNCATE",
        not event.is_quarantined,
        event.operation == "DELETE",
        event.payload_hash,
        event.operation,
    )


class _Story:
    """What is known of one key after the events told so far."""

    def __init__(self, key: Any, track_columns: Collection[str]) -> None:
        self.key = key
        self.track_columns = track_columns
        self.versions: list[Version] = []
        self.is_open = False
        self.is_same_life = False
        self.clock: Any = None

    def tell(self, rivals: Sequence[Event]) -> None:
        """Goes on by one sequence."""
        moment = max(event.commit_time for event in rivals)
        self.clock = moment if self.clock is None else max(self.clock, moment)
        event = winner(rivals)
        if event.is_quarantined:
            self._doubt(event)
        elif event.operation in {"DELETE", "TRUNCATE", "SNAPSHOT"}:
            if event.operation == "SNAPSHOT":
                self._infer(event)
            self._close(event)
            self.is_same_life = False
        else:
            self._upsert(event)

    def _doubt(self, event: Event) -> None:
        self.is_same_life = False
        if self.is_open and self.versions[-1].uncertain_since is None:
            self.versions[-1] = self.versions[-1]._replace(uncertain_since=event.sequence)

    def _infer(self, event: Event) -> None:
        """The row is gone, and nobody knows since when: not before the epoch, not after its snapshot."""
        if self.is_open:
            last = self.versions[-1]
            since = max(last.sequence, event.epoch_start)
            known = since if last.uncertain_since is None else min(since, last.uncertain_since)
            self.versions[-1] = last._replace(uncertain_since=known)

    def _close(self, event: Event) -> None:
        if self.is_open:
            self.versions[-1] = self.versions[-1]._replace(effective_to=self.clock, end_sequence=event.sequence)
        self.is_open = False

    def _upsert(self, event: Event) -> None:
        values, unresolved = self._resolve(event)
        if self.is_same_life and self._continues(event, values, unresolved):
            # An equal READ changes nothing here; a tracked run takes over the newest untracked values.
            self.versions[-1] = self.versions[-1]._replace(values=values, unresolved=unresolved)
            return
        self._close(event)
        version = Version(self.key, event.sequence, event.operation, values, self.clock, unresolved=unresolved)
        self.versions.append(version)
        self.is_open = self.is_same_life = True

    def _resolve(self, event: Event) -> tuple[dict[str, Any], frozenset[str]]:
        if not event.not_authored:
            return dict(event.values), frozenset()
        before = self.versions[-1] if self.is_same_life else None
        values, unresolved = dict(event.values), set()
        for column in event.not_authored:
            is_known = before is not None and column not in before.unresolved
            values[column] = before.values[column] if is_known and before is not None else None
            if not is_known:
                unresolved.add(column)
        return values, frozenset(unresolved)

    def _continues(self, event: Event, values: Values, unresolved: frozenset[str]) -> bool:
        last = self.versions[-1]
        if self.track_columns:
            return all(values[column] == last.values[column] for column in self.track_columns)
        return event.operation == "READ" and values == last.values and unresolved == last.unresolved
