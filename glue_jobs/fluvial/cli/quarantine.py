"""`fluvial quarantine`: what waits there, and why; how it comes back is in `fluvial.cli.quarantine_replay`."""

import sys
from collections.abc import Iterator
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from fluvial import columns as c
from fluvial.cli.lazy import LazyCommand, lazy_group
from fluvial.cli.query_output import json_chunks, json_text, plain_text, print_table
from fluvial.cli.selection import ConfigOption, HomeOption, select_home, select_table, select_use_case
from fluvial.config.model import Table
from fluvial.io.quarantine import IS_REPLAYED, Shown, read_quarantine, summarize_quarantine
from fluvial.io.repairs_file import repair_line

COMMANDS: Final = {
    "list": LazyCommand("fluvial.cli.quarantine:list_quarantine", "Count quarantined events by table and rule."),
    "show": LazyCommand("fluvial.cli.quarantine:show", "Print quarantined events, their violations and values."),
    "replay": LazyCommand("fluvial.cli.quarantine_replay:replay", "Put events that pass now where they belong."),
}
_SHOWN: Final = 20
app = typer.Typer(
    cls=lazy_group(COMMANDS),
    add_completion=False,
    help="Events that broke a rule: list them, look at them, put them back.",
    no_args_is_help=True,
)

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
TableArgument = Annotated[str, typer.Argument(help="A table of the use case.", show_default=False)]
RuleOption = Annotated[str | None, typer.Option("--rule", help="Only events that failed this rule.")]


@app.callback()
def _quarantine() -> None:
    """Events that broke a rule: list them, look at them, put them back."""


def list_quarantine(
    table: Annotated[str | None, typer.Argument(help="A table; all without one.")] = None,
    config: ConfigOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Count the quarantined events of each table and rule, and how many of them were replayed."""
    use_case = select_use_case(config)
    tables = (select_table(use_case, table),) if table else use_case.tables
    summary = summarize_quarantine(use_case, select_home(home).lake, tables)
    if as_json:
        sys.stdout.writelines(json_chunks(summary))
    elif summary.num_rows:
        print_table(summary, Console())
    else:
        print("the quarantine is empty")


def show(
    table: TableArgument,
    config: ConfigOption = None,
    home: HomeOption = None,
    rule: RuleOption = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="How many events to print; 20, with --as-repairs all.", show_default=False)
    ] = None,
    as_repairs: Annotated[
        bool, typer.Option("--as-repairs", help="Print waiting events as lines to edit for `replay --repairs`.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Print quarantined events with their violations and their values, as they were captured and masked."""
    use_case = select_use_case(config)
    chosen = select_table(use_case, table)
    most = limit or (None if as_repairs else _SHOWN)
    selection = Shown(rule, is_waiting=as_repairs, most=most)
    events, has_more = read_quarantine(use_case, select_home(home).lake, chosen, selection)
    if as_repairs:
        sys.stdout.writelines(f"{json_text(repair_line(event, chosen))}\n" for event in events)
    elif as_json:
        print(json_text(events))
    else:
        print("\n".join(line for event in events for line in _lines(event, chosen)) or _nothing(table, rule))
    if has_more:
        sys.stderr.write(f"note: there are more than these {len(events)}; --limit prints more\n")


def _nothing(table: str, rule: str | None) -> str:
    return f"no event of {table} is in quarantine" + (f" for rule {rule}" if rule else "")


def _lines(event: dict[str, Any], table: Table) -> Iterator[str]:
    key = ", ".join(f"{name}={plain_text(event[name])}" for name in table.primary_key)
    place = f"{event[c.TOPIC]}/{event[c.PARTITION]}@{event[c.OFFSET]}"
    yield "  ".join(
        (key, event[c.SEQUENCE], event[c.OPERATION], plain_text(event[c.COMMIT_TIME]), place, _state(event))
    )
    for violation in event[c.VIOLATIONS] or ():
        yield f"    {violation['rule_id']} ({violation['severity']}): {violation['message']}"
    values = ((name, "NULL" if text is None else text) for name, text in event[c.AFTER_IMAGE] or ())
    yield "    " + ", ".join(f"{name}={text}" for name, text in values)


def _state(event: dict[str, Any]) -> str:
    if not event[IS_REPLAYED]:
        return "waiting"
    by = f" by {event['replayed_by']} at {plain_text(event['replayed_at'])}" if event["replayed_by"] else ""
    return f"replayed{by}"
