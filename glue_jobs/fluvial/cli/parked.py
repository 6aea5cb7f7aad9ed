"""`fluvial parked`: which tables wait, since when and why, and how a stopped one goes on."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from fluvial.cli.lazy import LazyCommand, lazy_group
from fluvial.cli.selection import ConfigOption, HomeOption, select_home, select_table, select_use_case
from fluvial.config.locations import Locations
from fluvial.io.parking import Parking, read_parked_tables
from fluvial.io.state_files import LocalFiles
from fluvial.local.streaming import sole_writer

COMMANDS: Final = {
    "list": LazyCommand("fluvial.cli.parked:list_parked", "List tables that wait, with the reason and the next try."),
    "resume": LazyCommand("fluvial.cli.parked:resume", "Go on with a stopped table, once somebody has decided how."),
}
app = typer.Typer(
    cls=lazy_group(COMMANDS),
    add_completion=False,
    help="Tables that can't be written: list them, resume a stopped one.",
    no_args_is_help=True,
)


@app.callback()
def _parked() -> None:
    """Tables that can't be written: list them, resume a stopped one."""


def list_parked(
    config: ConfigOption = None,
    home: HomeOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List tables that wait; exit status 0 when there are none, 1 otherwise."""
    folder = Locations(select_use_case(config), select_home(home).lake).parked
    notices = [parked.notice for parked in read_parked_tables(folder)]
    if as_json:
        print(json.dumps([asdict(notice) for notice in notices], indent=2))
    else:
        print("\n".join(map(str, notices)) or "no table waits")
    if notices:
        raise typer.Exit(1)


def resume(
    table: Annotated[str, typer.Argument(help="A stopped table.", show_default=False)],
    quarantine: Annotated[
        bool, typer.Option("--quarantine", help="Let what is bad pass the circuit breaker, into the quarantine.")
    ] = False,
    config: ConfigOption = None,
    home: HomeOption = None,
) -> None:
    """Go on with a stopped table; the streaming job must be down, and goes on when it is up.

    Where Kafka has lost records, that accepts that they are gone: what it still holds of those that waited is written,
    and `fluvial verify --source` then says what differs. Where a circuit breaker has stopped the table, what waited is
    judged once more, by the rules as they are now, and stops it again while too much is bad, unless
    --quarantine lets it pass.
    """
    use_case, place = select_use_case(config), select_home(home)
    name = select_table(use_case, table).name
    with sole_writer(use_case, place, "fluvial parked resume"):
        files = LocalFiles(Locations(use_case, place.lake).parked)
        lane = use_case.table(name).lane
        parked = Parking(files, lane, use_case.settings.max_records_per_batch).resume(
            name, datetime.now(UTC), accepts_bad=quarantine
        )
    print(f"{name} goes on with the next `fluvial up`; {parked.waiting:,} records wait")
