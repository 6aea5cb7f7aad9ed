"""What a run prints at its end."""

import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table as Grid

from fluvial.cli.selection import option_for
from fluvial.config.load import load_use_case
from fluvial.config.placeholders import local_placeholders
from fluvial.local.airflow_access import USER, AirflowAccess
from fluvial.local.home import Home, default_home
from fluvial.local.run_report import RunReport

_MOST_METRICS: Final = 12


def print_report(report: RunReport, console: Console) -> None:
    """Tables, quarantine, metrics, latency, and what is missing."""
    console.print(_tables(report))
    console.print(_quarantine(report))
    console.print(_metrics(report))
    for line in _sentences(report):
        console.print(line, highlight=False)
    for gap in report.missing:
        console.print(f"[red]missing[/]  {gap}", highlight=False)


def print_access(access: AirflowAccess, console: Console) -> None:
    """Address and login of Airflow."""
    console.print(f"Airflow  {access.url}  user {USER}, password {access.password}", highlight=False, soft_wrap=True)


def print_next_commands(tables: Path, home: Home, console: Console, *, is_up: bool) -> None:
    """Three commands worth trying."""
    console.print("\nTry next:")
    for command in _next_commands(tables, home, is_up=is_up):
        console.print(f"  {command}", highlight=False, soft_wrap=True)


def _tables(report: RunReport) -> Grid:
    grid = Grid(title="Captured", title_justify="left")
    for heading in ("table", "events", "versions", "current", "held", "PostgreSQL", "quarantined"):
        grid.add_column(heading, justify="left" if heading == "table" else "right")
    for table in report.tables:
        counts = table.counts
        numbers = (table.events, table.versions, counts.current, counts.held, counts.source, table.quarantined)
        grid.add_row(table.name, *(f"{number:,}" for number in numbers))
    grid.caption = (
        "current + held = PostgreSQL: held rows have no valid version yet, their newest change is in quarantine"
    )
    return grid


def _quarantine(report: RunReport) -> Grid:
    grid = Grid("table", "rule", title="Quarantined by rule", title_justify="left")
    grid.add_column("events", justify="right")
    for table in report.tables:
        for rule, count in table.reasons.items():
            grid.add_row(table.name, rule, f"{count:,}")
    return grid


def _metrics(report: RunReport) -> Grid:
    breaches = [metric for metric in report.metrics if metric.is_breach]
    thresholds = [metric for metric in report.metrics if metric.threshold is not None and not metric.is_breach]
    grid = Grid("table", "metric", title="Metrics of the latest micro-batch", title_justify="left")
    for heading in ("value", "threshold"):
        grid.add_column(heading, justify="right")
    grid.add_column("verdict")
    for metric in (*breaches, *thresholds)[: max(_MOST_METRICS, len(breaches))]:
        name = f"{metric.metric}({metric.column})" if metric.column else metric.metric
        verdict = f"[red]breach, {metric.severity}[/]" if metric.is_breach else "[green]ok[/]"
        grid.add_row(metric.table, name, _number(metric.value), _number(metric.threshold), verdict)
    grid.caption = f"{len(report.metrics)} metrics measured, {len(breaches)} in breach"
    return grid


def _sentences(report: RunReport) -> Iterator[str]:
    yield f"Dead letters: {_counts(report.dead_letters) or 'none'}"
    if report.latency is not None:
        latency = report.latency
        seconds = f"p50 {latency.p50:.1f} s, p95 {latency.p95:.1f} s"
        yield f"Commit to queryable history: {seconds} over {latency.events:,} valid change events"
    if report.first_version_seconds is not None:
        yield f"First queryable version: {report.first_version_seconds:.1f} s after the start of this run"


def _next_commands(tables: Path, home: Home, *, is_up: bool) -> tuple[str, ...]:
    fluvial = "fluvial" if shutil.which("fluvial") else os.path.relpath(Path(sys.executable).parent / "fluvial")
    at_home = "" if home == default_home() else f" --home {shlex.quote(str(home.root))}"
    where = f"{option_for(tables)}{at_home}"
    table = load_use_case(tables, local_placeholders()).tables[0]
    key, held = ", ".join(table.primary_key), f"{table.name}__quarantine"
    history = f"from {table.name} group by all order by versions desc limit 5"
    return (
        f'{fluvial} query{where} "select {key}, count(*) as versions, max(_effective_from) as latest {history}"',
        f'{fluvial} query{where} "select _failed_rules, count(*) as events from {held} group by all"',  # noqa: S608
        f"{fluvial} generate burst{where} --rows 5000" if is_up else f"{fluvial} up --airflow{at_home}",
    )


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.4g}"
