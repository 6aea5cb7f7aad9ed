"""`fluvial settle` and `fluvial rebuild`: histories brought up to their logs by hand."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from pyspark.sql import SparkSession

from fluvial.cli.query_output import json_text
from fluvial.cli.selection import ConfigOption, HomeOption, select_home, select_table, select_use_case
from fluvial.cli.spark import spark_session
from fluvial.config.locations import Locations
from fluvial.config.model import Table
from fluvial.io.logging import configure_logging
from fluvial.io.rebuild import rebuild_table
from fluvial.io.remeasure import remeasure_batches
from fluvial.io.settling import SettleReport, settle_tables
from fluvial.local.streaming import sole_writer

JsonOption = Annotated[bool, typer.Option("--json", help="Print what changed as JSON.")]


def settle(
    tables: Annotated[list[str] | None, typer.Argument(help="Tables to settle; all without one.")] = None,
    config: ConfigOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fold what waits in the logs into the histories, whatever the settle policies say; refused beside a stream.

    Status 1: some table couldn't be settled; the others were.
    """
    configure_logging("warning")
    use_case, place = select_use_case(config), select_home(home)
    chosen = [select_table(use_case, name) for name in tables or ()] or use_case.tables
    with sole_writer(use_case, place, "fluvial settle"), spark_session("fluvial-settle", place) as session:
        reports = settle_tables(session, chosen, Locations(use_case, place.lake))
    print(json_text([asdict(report) for report in reports]) if as_json else "\n".join(_lines(reports)))
    for report in reports:
        if report.error:
            sys.stderr.write(f"error: {report.error}\n")
    if any(report.error for report in reports):
        raise typer.Exit(1)


def rebuild(
    table: Annotated[str, typer.Argument(help="A table of the use case.", show_default=False)],
    config: ConfigOption = None,
    home: HomeOption = None,
    metrics: Annotated[bool, typer.Option("--metrics", help="Add what dq_metrics lacks, and nothing else.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Derive the whole history of a table from its log, and replace it in one commit; refused beside a stream.

    For a history that something else has damaged. The log is taken as it is. With `--metrics` the micro-batches that
    dq_metrics says nothing of are measured anew, as far as log and quarantine tell.
    """
    configure_logging("warning")
    use_case, place = select_use_case(config), select_home(home)
    chosen, locations = select_table(use_case, table), Locations(use_case, place.lake)
    with sole_writer(use_case, place, "fluvial rebuild"), spark_session("fluvial-rebuild", place) as session:
        words, text = (_remeasure if metrics else _derive)(session, chosen, locations)
    print(json_text({"table": chosen.name} | words) if as_json else f"{chosen.name}: {text}")


def _derive(session: SparkSession, table: Table, locations: Locations) -> tuple[dict[str, object], str]:
    versions = rebuild_table(session, table, locations)
    return {"versions": versions}, f"{versions:,} versions derived from the log"


def _remeasure(session: SparkSession, table: Table, locations: Locations) -> tuple[dict[str, object], str]:
    found = remeasure_batches(session, table, locations)
    text = f"{found.batches:,} micro-batches measured anew, {found.metrics:,} metrics added"
    return asdict(found), "\n".join((text, *(f"  {reason}" for reason in found.reasons)))


def _lines(reports: Sequence[SettleReport]) -> Iterator[str]:
    for report in reports:
        outcome = "not settled" if report.error else f"{report.changed_versions:,} rows of the history changed"
        yield f"{report.table}: {outcome}"
