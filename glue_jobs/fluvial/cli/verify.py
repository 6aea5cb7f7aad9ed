"""`fluvial verify`: whether the history is what the log says."""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Annotated, Final

import typer

from fluvial.cli.selection import ConfigOption, HomeOption, select_home, select_use_case
from fluvial.config.locations import Locations
from fluvial.config.model import Table, UseCase
from fluvial.errors import FluvialError
from fluvial.io.parking import read_parked_tables
from fluvial.io.reason import cause
from fluvial.io.verify import Difference, Verdict, verify_table
from fluvial.io.verify_source import SourceVerdict, verify_source
from fluvial.local.endpoints import read_endpoints

_DIFFERENT: Final = 1
_UNKNOWN: Final = 2


def verify(
    tables: Annotated[list[str] | None, typer.Argument(help="Tables to check; all without one.")] = None,
    config: ConfigOption = None,
    home: HomeOption = None,
    limit: Annotated[int, typer.Option(min=1, help="Differences to print for each table.")] = 20,
    source: Annotated[
        bool, typer.Option("--source", help="Compare current rows with the live source instead.")
    ] = False,
    wait: Annotated[float, typer.Option(min=0, help="With --source: seconds to let the lake catch up.")] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for each table in an array.")] = False,
) -> None:
    """Derive each history again from its log, and compare.

    Status 0: the same, 1: differences, 2: some table couldn't be checked; the others were.
    """
    try:
        use_case, state = select_use_case(config), select_home(home)
        chosen = _chosen(use_case, tables or ())
        dsn = read_endpoints(state).postgres_dsn(use_case.database_name) if source else ""
        for parked in read_parked_tables(Locations(use_case, state.lake).parked):
            sys.stderr.write(f"note: {parked.notice}\n")
    except FluvialError as error:
        sys.stderr.write(f"error: {error}\n")
        raise typer.Exit(_UNKNOWN) from error

    def check(table: Table) -> Verdict | SourceVerdict:
        if source:
            return verify_source(use_case, state.lake, table, dsn, wait)
        return verify_table(use_case, state.lake, table, limit)

    verdicts = [verdict for table in chosen if (verdict := _checked(table, check)) is not None]
    sys.stdout.write(_as_json(verdicts) if as_json else "".join(_as_text(verdict, limit) for verdict in verdicts))
    _end(verdicts, len(chosen))


def _end(verdicts: Sequence[Verdict | SourceVerdict], wanted: int) -> None:
    """With the status of the worst that was found."""
    if len(verdicts) < wanted:
        raise typer.Exit(_UNKNOWN)
    if not all(verdict.is_same for verdict in verdicts):
        raise typer.Exit(_DIFFERENT)


def _checked(table: Table, check: Callable[[Table], Verdict | SourceVerdict]) -> Verdict | SourceVerdict | None:
    """None where it couldn't be checked, which is told."""
    try:
        return check(table)
    except FluvialError as error:
        sys.stderr.write(f"error: {error}\n")
    except Exception as error:  # noqa: BLE001 - a file of the lake that is gone, or isn't what it was: of this table
        sys.stderr.write(f"error: {table.name} can't be checked: {cause(error)}\n")
    return None


def _chosen(use_case: UseCase, names: Sequence[str]) -> list[Table]:
    known = [table.name for table in use_case.tables]
    if unknown := [name for name in names if name not in known]:
        raise FluvialError(f"unknown table {', '.join(unknown)}", f"{use_case.name} has {', '.join(known)}")
    return [use_case.table(name) for name in names or known]


def _as_json(verdicts: Sequence[Verdict | SourceVerdict]) -> str:
    return json.dumps([asdict(verdict) | {"is_same": verdict.is_same} for verdict in verdicts], indent=2) + "\n"


def _as_text(verdict: Verdict | SourceVerdict, limit: int) -> str:
    shown = verdict.differences[:limit]
    lines = [f"{verdict.table}: {verdict.total} differences ({_counts(verdict)})", *map(_line, shown)]
    if (hidden := verdict.total - len(shown)) > 0:
        lines.append(f"  ... and {hidden} more; --limit prints more")
    return "\n".join(lines) + "\n"


def _counts(verdict: Verdict | SourceVerdict) -> str:
    if isinstance(verdict, SourceVerdict):
        left_out = f", {verdict.quarantined} keys in quarantine left out" if verdict.quarantined else ""
        untold = f", not compared: {', '.join(verdict.not_compared)}" if verdict.not_compared else ""
        return f"{verdict.rows:,} rows of the source as of {verdict.position}{left_out}{untold}"
    counts = f"{verdict.versions:,} versions from {verdict.log_rows:,} log rows"
    if verdict.sequence_conflicts:
        counts += f", {verdict.sequence_conflicts:,} sequence conflicts"
    late = verdict.unsettled_log_versions
    return f"{counts}, the newest {late} commits of the log not settled yet" if late else counts


def _line(difference: Difference) -> str:
    place = f"{difference.key} @ {difference.sequence} {difference.column}".replace("  ", " ")
    return f"  {place}: expected {difference.expected}, found {difference.found}"
