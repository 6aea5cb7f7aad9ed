"""`fluvial quarantine replay`: events that pass the rules now, put where they belong."""

import getpass
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from fluvial.cli.quarantine import JsonOption, RuleOption, TableArgument
from fluvial.cli.query_output import json_text
from fluvial.cli.selection import ConfigOption, HomeOption, select_home, select_table, select_use_case
from fluvial.cli.spark import spark_session
from fluvial.config.locations import Locations
from fluvial.config.model import Table
from fluvial.io.logging import configure_logging
from fluvial.io.quarantine_replay import QuarantineReplayer, ReplayReport
from fluvial.io.repairs_file import read_repairs
from fluvial.io.replay_selection import Selection
from fluvial.local.secrets import provide_secrets
from fluvial.local.streaming import sole_writer


def replay(
    table: TableArgument,
    config: ConfigOption = None,
    home: HomeOption = None,
    rule: RuleOption = None,
    events: Annotated[list[str] | None, typer.Option("--events", help="Only this sequence; may be repeated.")] = None,
    repairs: Annotated[
        Path | None, typer.Option("--repairs", help="Repaired values as JSON lines; only these events are replayed.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Judge quarantined events by today's rules, put those that pass where they belong, and settle the history.

    What was replayed before changes nothing. Status 1: some event still breaks a rule and stays.
    """
    configure_logging("warning")
    use_case, place = select_use_case(config), select_home(home)
    chosen = select_table(use_case, table)
    selection = Selection(rule, tuple(events or ()), read_repairs(repairs, chosen) if repairs else ())
    provide_secrets(use_case, place)
    with (
        sole_writer(use_case, place, "fluvial quarantine replay"),
        spark_session("fluvial-quarantine-replay", place) as session,
    ):
        report = QuarantineReplayer(session, chosen, Locations(use_case, place.lake), _user()).replay(selection)
    print(json_text(_words(report)) if as_json else "\n".join(_report_lines(report, chosen)))
    if report.still_violating:
        raise typer.Exit(1)


def _words(report: ReplayReport) -> dict[str, Any]:
    refused = [{**asdict(each), "reasons": list(each.reasons)} for each in report.refused]
    return {**asdict(report), "refused": refused}


def _report_lines(report: ReplayReport, table: Table) -> Iterator[str]:
    counts = f"{report.replayed} replayed, {report.replayed_before} replayed before"
    yield f"{table.name}: {counts}, {report.still_violating} still in quarantine"
    if report.changed_versions:
        yield f"{report.changed_versions} rows of the history changed"
    for event in report.refused:
        yield f"  {event.key} @ {event.sequence} stays: {'; '.join(event.reasons)}"
    if hidden := report.still_violating - len(report.refused):
        yield f"  ... and {hidden} more"
    if _is_masked(report, table):
        yield "  a masked value that isn't repaired can't be judged again: it keeps its first verdict"


def _is_masked(report: ReplayReport, table: Table) -> bool:
    """Whether some event stays for a rule on a column whose raw value isn't stored."""
    masked = {rule.id for rule in table.dq_rules if rule.column in table.masked_columns}
    return any(reason.partition(": ")[0] in masked for event in report.refused for reason in event.reasons)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"  # a container's user often has no name
