"""`fluvial explain`: the story of one row."""

import sys
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.text import Text

from fluvial import columns as c
from fluvial.cli.query_output import json_text, plain_text
from fluvial.cli.selection import ConfigOption, HomeOption, select_home, select_table, select_use_case
from fluvial.config.model import Table
from fluvial.io.explain import Story, explain_row
from fluvial.verify.story import Fate, Told, Version

_STYLES: Final = {
    Fate.OPENED: "green",
    Fate.CLOSED: "cyan",
    Fate.INFERRED_DELETE: "yellow",
    Fate.QUARANTINED: "red",
    Fate.REPAIRED: "yellow",
    Fate.LOST_TIE: "yellow",
    Fate.UNSETTLED: "yellow",
}
_WORDS: Final = {
    Fate.OPENED: "opened {}",
    Fate.CONTINUED: "continued {}: the tracked columns are the same",
    Fate.ABSORBED: "absorbed by {}: the snapshot shows the row as it was known",
    Fate.CLOSED: "closed {}",
    Fate.INFERRED_DELETE: "closed {}: inferred, because a complete snapshot doesn't show the row any more",
    Fate.REDUNDANT: "changed nothing: no version was open",
    Fate.QUARANTINED: "in quarantine: {}",
    Fate.REPAIRED: "was in quarantine: its replay counts instead",
    Fate.LOST_TIE: "no version: another event at the same sequence counts",
    Fate.UNSETTLED: "not in the history yet; if that lasts, ask `fluvial verify`",
}
_EVENT_FIELDS: Final = (
    c.SEQUENCE, c.OPERATION, c.COMMIT_TIME, c.TOPIC, c.PARTITION, c.OFFSET, c.SOURCE_POSITION, c.INGESTED_AT,
    c.IS_QUARANTINED, c.NOT_AUTHORED, c.WARNINGS,
)  # fmt: skip
_VERSION_FIELDS: Final = (
    c.SEQUENCE, c.OPERATION, c.EFFECTIVE_FROM, c.EFFECTIVE_TO, c.IS_CURRENT, c.END_SEQUENCE, c.UNCERTAIN_SINCE,
    c.UNRESOLVED,
)  # fmt: skip
Line = tuple[str, str]
"""(text, style)"""


def explain(
    table: Annotated[str, typer.Argument(help="A table of the use case.", show_default=False)],
    key: Annotated[str, typer.Argument(help="The row's key: 17, or a,b, or k1=a,k2=b.", show_default=False)],
    config: ConfigOption = None,
    home: HomeOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show each event of a row in the order of the source, and the version it became or why it became none."""
    use_case = select_use_case(config)
    story = explain_row(use_case, select_home(home).lake, select_table(use_case, table), key)
    if as_json:
        sys.stdout.write(json_text(_as_words(story)) + "\n")
        return
    console = Console(highlight=False, soft_wrap=True)
    for text, style in _lines(story):
        console.print(Text(text, style=style if console.is_terminal else ""))


def _lines(story: Story) -> Iterator[Line]:
    yield _heading(story), "bold"
    if transforms := _transforms(story.table):
        shown = "; ".join(f"{name}: {', '.join(steps)}" for name, steps in transforms.items())
        yield f"transforms: {shown}", "dim"
    for told in story.events:
        yield "", ""
        yield from _event_lines(told)


def _heading(story: Story) -> str:
    key = ", ".join(f"{name}={plain_text(value)}" for name, value in story.key.items())
    quarantined = sum(told.fate is Fate.QUARANTINED for told in story.events)
    waiting = f", {quarantined} in quarantine" if quarantined else ""
    return f"{story.table.name} {key}: {len(story.events)} events, {len(story.versions)} versions{waiting}"


def _transforms(table: Table) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for transform in table.ordered_transforms:
        found.setdefault(transform.column or "row", []).append(transform.summary)
    return found


def _event_lines(told: Told) -> Iterator[Line]:
    row = told.row
    place = f"{row[c.TOPIC]}/{row[c.PARTITION]}@{row[c.OFFSET]}"
    source = f"  {row[c.SOURCE_POSITION]}" if row[c.SOURCE_POSITION] else ""
    operation = f"{row[c.OPERATION]:<8}"
    yield f"{row[c.SEQUENCE]}  {operation}  {plain_text(row[c.COMMIT_TIME])}  {place}{source}", "bold"
    yield f"    ingested {plain_text(row[c.INGESTED_AT])}", "dim"
    if row[c.NOT_AUTHORED]:
        yield f"    says nothing of {', '.join(row[c.NOT_AUTHORED])}", "dim"
    if broken := row.get(c.WARNINGS):
        yield f"    breaks {', '.join(broken)} (warning)", "yellow"
    yield f"    {fate_text(told)}", _STYLES.get(told.fate, "")
    for violation in told.violations:
        yield f"      {violation['rule_id']} ({violation['severity']}): {violation['message']}", "red"
    if told.fate is Fate.OPENED and told.version is not None:
        yield from _version_lines(told.version)


def fate_text(told: Told) -> str:
    """What became of the event, in words."""
    version = told.version
    number = f"version {version.number}" if version else "no version"
    match told.fate, version:
        case Fate.OPENED, Version():
            return f"opened {number}, {_span(version)}"
        case Fate.QUARANTINED, Version():
            return f"in quarantine: {number} is uncertain from here on"
        case _:
            return _WORDS[told.fate].format(number)


def _span(version: Version) -> str:
    row = version.row
    begin, end = plain_text(row[c.EFFECTIVE_FROM]), row[c.EFFECTIVE_TO]
    return f"{begin} to {plain_text(end)}" if row[c.END_SEQUENCE] else f"current since {begin}"


def _version_lines(version: Version) -> Iterator[Line]:
    for name, (before, now) in version.changed.items():
        was = f"{_shown(before)} -> " if version.number > 1 else ""
        yield f"      {name}: {was}{_shown(now)}", ""
    if version.row[c.UNRESOLVED]:
        yield f"      unresolved: {', '.join(version.row[c.UNRESOLVED])}", "yellow"
    if version.row[c.UNCERTAIN_SINCE]:
        yield f"      uncertain since {version.row[c.UNCERTAIN_SINCE]}", "yellow"


def _shown(value: object) -> str:
    return "NULL" if value is None else plain_text(value)


def _as_words(story: Story) -> dict[str, object]:
    return {
        "table": story.table.name,
        "key": dict(story.key),
        "transforms": _transforms(story.table),
        "events": [_event_words(told) for told in story.events],
        "versions": [_version_words(version, story.table) for version in story.versions],
    }


def _event_words(told: Told) -> dict[str, object]:
    return {
        **_picked(told.row, _EVENT_FIELDS),
        "fate": told.fate.value,
        "version": told.version.number if told.version else None,
        "explanation": fate_text(told),
        "violations": [dict(violation) for violation in told.violations],
    }


def _version_words(version: Version, table: Table) -> dict[str, object]:
    values = {name: version.row.get(name) for name in table.lake.value_columns}
    return {"version": version.number, **_picked(version.row, _VERSION_FIELDS), "values": values}


def _picked(row: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name.removeprefix("_"): row.get(name) for name in names}
