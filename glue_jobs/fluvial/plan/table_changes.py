"""The edits of one table, and how far each reaches; pure: two documents and what the lake holds, changes out.

The facts behind the effects: the log keeps each event as it was transformed when it came, and is never rewritten. So
rules, transforms and masks hold for what comes after. The history is a function of the log, so what only decides how
the log is read, the tracked columns, can be changed for the past as well.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from fluvial.config.model import MAIN_LANE
from fluvial.plan.column_changes import column_changes
from fluvial.plan.configuration import MASKED, Document
from fluvial.plan.effects import Change, Effect, TableFacts
from fluvial.plan.lake_changes import lake_changes

Judge = Callable[[str, Any, Any, TableFacts], Iterator[Change]]
"""(field, before, after, facts) -> the changes within that field."""

_COUNTED: Final = ("schema", "transforms")
_CHANGES_VALUES: Final = "changes values from now on; the log keeps what it stored"
_MEANINGS: Final = {
    "rename": "holds for events from now on; the log keeps what it stored under the other name",
    "filter": "judges events from now on; a row that is kept or gone already stays so until it changes",
    "drop": "holds for events from now on; the log keeps what it stored",
}
_STALE_TOPIC: Final = "what the stream hasn't read of the old topic yet is left behind: let it catch up first"


def table_changes(before: Document | None, after: Document | None, facts: TableFacts) -> tuple[Change, ...]:
    """Every edit between two documents of a table; None stands for a table that isn't configured."""
    if before is None or after is None:
        return (_whole_table(before, after, facts),)
    names = [*after, *(name for name in before if name not in after)]
    edits = (
        change
        for name in names
        if name != MASKED and before.get(name) != after.get(name)
        for change in _judge(name)(name, before.get(name), after.get(name), facts)
    )
    return (*edits, *_mask_changes(before, after, facts), *lake_changes(before, after, facts))


def counted_columns(before: Document | None, after: Document | None) -> frozenset[str]:
    """The columns of which `table_changes` wants to know how many log rows have a value."""
    if before is None or after is None:
        return frozenset()
    edited = (_differing(before.get(name) or (), after.get(name) or ()) for name in _COUNTED)
    hidden = set(before.get(MASKED, ())) ^ set(after.get(MASKED, ()))
    return frozenset(hidden.union(*edited))


def _differing(before: Any, after: Any) -> set[str]:
    items = [item for item in (*before, *after) if item not in before or item not in after]
    return {str(item.get("column") or item.get("name")) for item in items}


def _whole_table(before: Document | None, after: Document | None, facts: TableFacts) -> Change:
    if before is None:
        meaning = "a new table: its rows come with the connector's next snapshot, its changes from now on"
        warning = (
            f"the lake holds {facts.log_rows:,} events of a table of this name: they count on" if facts.log_rows else ""
        )
        return Change("table", Effect.FORWARD, meaning, None, (after or {}).get("name"), warning)
    meaning = "no longer captured; log, history, quarantine and topic stay as they are"
    warning = f"{facts.waiting:,} records wait to be written, and won't be" if facts.waiting else ""
    return Change("table", Effect.FORWARD, meaning, before.get("name"), None, warning)


def _judge(name: str) -> Judge:
    return _JUDGES.get(name, _other)


def _primary_key(name: str, before: Any, after: Any, facts: TableFacts) -> Iterator[Change]:
    if sorted(before) == sorted(after):
        yield Change(name, Effect.METADATA, "the same columns in another order: no row changes", before, after)
    elif not facts.log_rows:
        yield Change(name, Effect.FORWARD, "no event is stored yet", before, after)
    else:
        meaning = (
            f"the {facts.log_rows:,} events of the log are told apart by ({', '.join(before)}): "
            f"describe the table under a new name, or remove it with its data first"
        )
        yield Change(name, Effect.REFUSED, meaning, before, after)


def _rules(name: str, before: Any, after: Any, facts: TableFacts) -> Iterator[Change]:
    for rule, old, new in _paired(before, after, _rule_name):
        meaning = "judges events from now on; `fluvial backtest` tells what it would have quarantined"
        if new is None:
            meaning = "no longer judges; events that it quarantined can be replayed"
        elif old is not None and _without(old, "severity") == _without(new, "severity"):
            severity = new.get("severity", "error")
            meaning = f"violations are {'quarantined' if severity == 'error' else 'only recorded'} from now on"
        warning = ""
        if old is not None and facts.quarantined:
            warning = f"{facts.quarantined:,} events of the table are in quarantine: `fluvial quarantine replay`"
        yield Change(f"{name}.{rule}", Effect.FORWARD, meaning, old, new, warning)


def _transforms(name: str, before: Any, after: Any, facts: TableFacts) -> Iterator[Change]:
    for transform, old, new in _paired(before, after, _transform_name):
        column = (new or old or {}).get("column", "")
        stored = facts.values.get(column, 0)
        meaning = _MEANINGS.get((new or old or {}).get("type", ""), _CHANGES_VALUES)
        warning = f"{stored:,} log rows keep {column} as it was stored: the history mixes both" if stored else ""
        yield Change(f"{name}.{transform}", Effect.FORWARD, meaning, old, new, warning)
    if sorted(map(repr, before or ())) == sorted(map(repr, after or ())):
        yield Change(name, Effect.FORWARD, "another order of equal `order`: holds from now on")


def _mask_changes(before: Document, after: Document, facts: TableFacts) -> Iterator[Change]:
    """What hiding a column, or no longer hiding it, means for what is stored."""
    old, new = set(before.get(MASKED, ())), set(after.get(MASKED, ()))
    for column in sorted(old ^ new):
        stored = facts.values.get(column, 0)
        if column in new and stored:
            meaning = f"{column} is hidden from now on"
            warning = (
                f"{stored:,} log rows, the history and older files keep {column} in clear text, and deriving the "
                "history again can't hide it: take a new snapshot into an empty lake, or erase it"
            )
            yield Change(f"{MASKED}.{column}", Effect.FORWARD, meaning, after=column, warning=warning)
        elif column in old and stored:
            meaning = f"{column} is stored in clear text from now on"
            warning = f"{stored:,} log rows keep the masked text: the raw values were never stored"
            yield Change(f"{MASKED}.{column}", Effect.FORWARD, meaning, before=column, warning=warning)


def _tracked(name: str, before: Any, after: Any, facts: TableFacts) -> Iterator[Change]:
    if sorted(before or ()) == sorted(after or ()):
        yield Change(name, Effect.METADATA, "the same columns in another order: no row changes", before, after)
    elif facts.log_rows:
        meaning = "versions begin at other events: the history is derived again from the log"
        yield Change(name, Effect.REDERIVED, meaning, before, after)
    else:
        yield Change(name, Effect.FORWARD, "no event is stored yet", before, after)


def _checks(name: str, before: Any, after: Any, facts: TableFacts) -> Iterator[Change]:
    for check, old, new in _paired(before, after, lambda check, _: f"{check['metric']}({check.get('column', '')})"):
        meaning = "measured" if new else "no longer measured"
        yield Change(f"{name}.{check}", Effect.FORWARD, f"{meaning} from the next micro-batch on", old, new)


def _topic(name: str, before: Any, after: Any, facts: TableFacts) -> Iterator[Change]:
    if facts.waiting:
        meaning = (
            f"{facts.waiting:,} records of the old topic wait to be written, and would wait for good: "
            "`fluvial parked list` says why; let the table catch up first"
        )
        yield Change(name, Effect.REFUSED, meaning, before, after)
        return
    meaning = "the new topic is read from its beginning; known events count as duplicates"
    yield Change(name, Effect.FORWARD, meaning, before, after, _STALE_TOPIC)


def _moved(name: str, before: Any, after: Any, facts: TableFacts) -> Iterator[Change]:
    if facts.left_behind:
        meaning = (
            f"{facts.left_behind:,} events lie at the old place: stop the stream, move both folders, the history's "
            "and the one that ends in __log, then plan again"
        )
        yield Change(name, Effect.REFUSED, meaning, before, after)
    else:
        yield Change(name, Effect.METADATA, "nothing lies at the old place", before, after)


def _guarantee(name: str, before: Any, after: Any, facts: TableFacts) -> Iterator[Change]:
    meaning = "decides what the source tells of an update or a delete: the guarantee level of what comes follows it"
    yield Change(name, Effect.FORWARD, meaning, before, after)


def _described(name: str, before: Any, after: Any, facts: TableFacts) -> Iterator[Change]:
    yield Change(name, Effect.METADATA, "says what the table holds: no row changes", before, after)


def _restart(name: str, before: Any, after: Any, facts: TableFacts) -> Iterator[Change]:
    yield Change(name, Effect.METADATA, "decides when, not what: no row changes", before, after)


def _breaker(name: str, before: Any, after: Any, facts: TableFacts) -> Iterator[Change]:
    yield Change(name, Effect.METADATA, "decides when the table is stopped: no row changes", before, after)


def _lane(name: str, before: Any, after: Any, facts: TableFacts) -> Iterator[Change]:
    meaning = f"lane '{after or MAIN_LANE}' reads the topic from its beginning; known events count as duplicates"
    yield Change(name, Effect.FORWARD, meaning, before or MAIN_LANE, after or MAIN_LANE)


def _other(name: str, before: Any, after: Any, facts: TableFacts) -> Iterator[Change]:
    yield Change(name, Effect.FORWARD, "holds from the next micro-batch on", before, after)


def _rule_name(rule: Document, _: int) -> str:
    return str(rule["id"])


def _transform_name(transform: Document, number: int) -> str:
    return str(transform.get("id") or f"{transform['type']}({transform.get('column', '')})")


def _paired(
    before: Any, after: Any, name: Callable[[Document, int], str]
) -> Iterator[tuple[str, Document | None, Document | None]]:
    """Items that differ, by name; of several of one name the later ones get a number."""
    old, new = (_named(items or (), name) for items in (before, after))
    for key in dict.fromkeys([*new, *old]):
        if old.get(key) != new.get(key):
            yield key, old.get(key), new.get(key)


def _named(items: Any, name: Callable[[Document, int], str]) -> Mapping[str, Document]:
    named: dict[str, Document] = {}
    for number, item in enumerate(items):
        key = name(item, number)
        named[key if key not in named else f"{key}#{number}"] = item
    return named


def _without(document: Document, name: str) -> Document:
    return {key: value for key, value in document.items() if key != name}


_JUDGES: Final[Mapping[str, Judge]] = {
    "primary_key": _primary_key,
    "schema": column_changes,
    "dq_rules": _rules,
    "transforms": _transforms,
    "deequ_checks": _checks,
    "track_columns": _tracked,
    "topic": _topic,
    "delta_path": _moved,
    "partitions": _restart,
    "settle": _restart,
    "circuit_breaker": _breaker,
    "replica_identity": _guarantee,
    "lane": _lane,
    "sensitive": _described,
}
