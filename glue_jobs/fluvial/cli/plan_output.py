"""A change plan for people: one line for each edit, coloured by how far it reaches."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from rich.text import Text

from fluvial.plan.change_plan import ChangePlan, LiveDifference, TablePlan
from fluvial.plan.documents import DocumentChange
from fluvial.plan.effects import Change, Effect

_STYLES: Final = {
    Effect.NONE: "dim",
    Effect.METADATA: "cyan",
    Effect.FORWARD: "green",
    Effect.REDERIVED: "yellow",
    Effect.REFUSED: "bold red",
}
_LONGEST: Final = 60


def plan_lines(plan: ChangePlan, guarantees: Sequence[str] = ()) -> Iterator[Text]:
    """The plan, from its tables to its hash; with how far they can be trusted then."""
    if not plan.has_changes:
        yield from map(Text, guarantees)
        yield Text(f"{plan.use_case}: nothing to do", "green")
        return
    if plan.before is None:
        yield Text(f"{plan.use_case}: never applied here; everything is new", "bold")
    for change in plan.settings:
        yield from _change_lines(change, "")
    for table in plan.tables:
        yield from _table_lines(table)
    yield from _document_lines(plan.documents)
    yield from _live_lines(plan.live)
    yield from map(Text, guarantees)
    yield Text("")
    if plan.refusals:
        yield Text(f"refused: {len(plan.refusals)} edits can't be applied", _STYLES[Effect.REFUSED])
    else:
        yield Text(f"{plan.effect.value}; `fluvial apply --plan {plan.hash}` does it", "bold")


def _table_lines(table: TablePlan) -> Iterator[Text]:
    if not table.changes:
        return
    facts, rows = table.facts, table.rows
    stored = f"{facts.log_rows:,} events, {facts.versions:,} versions"
    yield Text.assemble(
        (table.name, "bold"), "  ", (table.effect.value, _STYLES[table.effect]), (f"  ({stored})", "dim")
    )
    if table.needs_rederivation:
        yield Text(
            f"  history: {rows.inserted:,} rows more, {rows.deleted:,} fewer, {rows.updated:,} other; "
            f"{rows.keys:,} keys; {rows.bytes:,} bytes written again",
            _STYLES[table.effect],
        )
    for change in table.changes:
        yield from _change_lines(change, "  ")


def _change_lines(change: Change, indent: str) -> Iterator[Text]:
    sign = "+" if change.before is None else "-" if change.after is None else "~"
    sides = " -> ".join(_short(side) for side in (change.before, change.after) if side is not None)
    yield Text.assemble(
        f"{indent}{sign} ", (change.place, _STYLES[change.effect]), f": {change.effect.value}: {change.meaning}"
    )
    if sides and not isinstance(change.before or change.after, bool):
        yield Text(f"{indent}    {sides}", "dim")
    if change.warning:
        yield Text(f"{indent}    warning: {change.warning}", "yellow")


def _document_lines(changes: tuple[DocumentChange, ...]) -> Iterator[Text]:
    for name in dict.fromkeys(change.document for change in changes):
        yield Text(name, "bold")
        for change in changes:
            if change.document == name:
                sign = "+" if change.before is None else "-" if change.after is None else "~"
                yield Text(f"  {sign} {change.place or 'whole'}{_sides(change)}", "cyan")


def _sides(change: DocumentChange) -> str:
    sides = [_short(side) for side in (change.before, change.after) if side is not None and side is not True]
    return f": {' -> '.join(sides)}" if sides else ""


def _live_lines(live: tuple[LiveDifference, ...] | None) -> Iterator[Text]:
    if live is None:
        yield Text("not compared with what runs: no stack answers, or the use case isn't deployed on it", "dim")
        return
    for found in live:
        style = _STYLES[Effect.REFUSED] if found.is_refused else "cyan"
        yield Text(f"live {found.part} {found.name}: {found.what}", style)
        if found.statement:
            yield Text(f"    {found.statement}", "dim")


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
