"""The edits of a use case outside its tables, and how far each reaches."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from fluvial.plan.configuration import Document
from fluvial.plan.effects import Change, Effect, TableFacts

_METADATA: Final = {
    "settings.trigger_interval": "decides when, not what: no row changes",
    "settings.max_records_per_batch": "decides when, not what: no row changes",
    "settings.settle": "decides when, not what: no row changes",
    "settings.circuit_breaker": "decides when a table is stopped: no row changes",
    "settings.lanes": "decides when, not what: no row changes",
    "kafka.partitions": "the topics grow; the history doesn't depend on partitions",
    "kafka.retention_days": "topics keep records for another time",
    "kafka.largest_record": "topics take records of another size",
    "source_database.engine": "another spelling",
}
_FORWARD: Final = {
    "source_database.captures_truncates": "decides whether truncates arrive: the guarantee level follows",
    "source_database.include_transaction_details": "decides what places an event: the guarantee level follows",
    "source_database.before_image": "decides whether a changed key is seen: the guarantee level follows",
    "settings.checkpoint_location": "the stream reads the topics from their beginning; known events count as "
    "duplicates",
    "settings.extensions": "its rules and transforms hold for events from now on",
    "settings.quarantine_path": "new events go there; what lies at the old place is no longer queried or replayed",
}


_ALONE: Final = "deploy it as a use case of its own, in a folder of its own"
_OTHER_SOURCE: Final = f"positions of another source don't compare with those in the log: {_ALONE}"
_REFUSED: Final = {
    "source_database.database": _OTHER_SOURCE,
    "source_database.schema_name": _OTHER_SOURCE,
    "source_database.capture": "another capture tells its events apart otherwise, those of the log would count twice",
}
"""Where a log holds events."""
_REFUSED_OF_DMS: Final = {
    "source_database.include_transaction_details": "events that are placed by their time sort behind all that have a "
    f"position: {_ALONE}",
}


def use_case_changes(before: Document, after: Document, facts: TableFacts) -> tuple[Change, ...]:
    """Every edit of settings, kafka and source_database; `facts` are those of all tables together."""
    is_dms = after.get("source_database", {}).get("capture") == "dms"
    refused = _REFUSED | (_REFUSED_OF_DMS if is_dms else {})
    return tuple(
        _judge(f"{section}.{name}", old, new, facts, refused)
        for section in ("settings", "kafka", "source_database")
        for name, old, new in _edits(before.get(section, {}), after.get(section, {}))
    )


def _edits(before: Document, after: Document) -> Iterator[tuple[str, Any, Any]]:
    for name in dict.fromkeys([*after, *before]):
        if before.get(name) != after.get(name):
            yield name, before.get(name), after.get(name)


def _judge(place: str, before: Any, after: Any, facts: TableFacts, refused: Mapping[str, str]) -> Change:
    if place in refused and (facts.log_rows or facts.versions):
        return Change(place, Effect.REFUSED, refused[place], before, after)
    if place == "settings.delta_bucket" and facts.left_behind:
        meaning = "the lake lies at the old place: stop the stream, move its folders, then plan again"
        return Change(place, Effect.REFUSED, meaning, before, after)
    if place in _FORWARD:
        return Change(place, Effect.FORWARD, _FORWARD[place], before, after)
    meaning = _METADATA.get(place, "how things are reached: no row changes")
    return Change(place, Effect.METADATA, meaning, before, after)
