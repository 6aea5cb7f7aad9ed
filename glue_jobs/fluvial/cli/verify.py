"""`fluvial verify`: whether the history is what the log says."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Final

import typer

from fluvial.cli.selection import ConfigOption, HomeOption, select_home, select_use_case
from fluvial.config.model import Table, UseCase
from fluvial.errors import FluvialError
from fluvial.io.verify import Difference, Verdict, verify_table

_DIFFERENT: Final = 1
_UNKNOWN: Final = 2


def verify(
    tables: Annotated[list[str] | None, typer.Argument(help="Tables to check; all without one.")] = None,
    config: ConfigOption = None,
    home: HomeOption = None,
    limit: Annotated[int, typer.Option(min=1, help="Differences to print for each table.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for each table in an array.")] = False,
) -> None:
    """Derive each history again from its log, and compare. Status 0: the same, 1: differences, 2: couldn't check."""
    try:
        verdicts = _verdicts(tables or (), config, home, limit)
    except FluvialError as error:
        sys.stderr.write(f"error: {error}\n")
        raise typer.Exit(_UNKNOWN) from error
    sys.stdout.write(_as_json(verdicts) if as_json else "".join(map(_as_text, verdicts)))
    if not all(verdict.is_same for verdict in verdicts):
        raise typer.Exit(_DIFFERENT)


def _verdicts(names: Sequence[str], config: str | None, home: HomeOption, limit: int) -> list[Verdict]:
    use_case, lake = select_use_case(config), select_home(home).lake
    return [verify_table(use_case, lake, table, limit) for table in _chosen(use_case, names)]


def _chosen(use_case: UseCase, names: Sequence[str]) -> list[Table]:
    known = [table.name for table in use_case.tables]
    if unknown := [name for name in names if name not in known]:
        raise FluvialError(f"unknown table {', '.join(unknown)}", f"{use_case.name} has {', '.join(known)}")
    return [use_case.table(name) for name in names or known]


def _as_json(verdicts: Sequence[Verdict]) -> str:
    return json.dumps([asdict(verdict) | {"is_same": verdict.is_same} for verdict in verdicts], indent=2) + "\n"


def _as_text(verdict: Verdict) -> str:
    counts = f"{verdict.versions:,} versions from {verdict.log_rows:,} log rows"
    lines = [f"{verdict.table}: {verdict.total} differences ({counts})"]
    if verdict.unsettled_log_versions:
        lines.append(f"  the newest {verdict.unsettled_log_versions} commits of the log aren't settled yet")
    lines += map(_line, verdict.differences)
    if (hidden := verdict.total - len(verdict.differences)) > 0:
        lines.append(f"  ... and {hidden} more; --limit prints more")
    return "\n".join(lines) + "\n"


def _line(difference: Difference) -> str:
    place = f"{difference.key} @ {difference.sequence} {difference.column}".replace("  ", " ")
    return f"  {place}: expected {difference.expected}, found {difference.found}"
