"""The `fluvial` command: what it can do, and how an error leaves it."""

import sys
from importlib.metadata import version
from typing import Annotated, Final

import typer

from fluvial.cli.lazy import LazyCommand, lazy_group
from fluvial.errors import FluvialError

# One line for each command, in the order `fluvial --help` shows them.
COMMANDS: Final = {
    "run": LazyCommand("fluvial.cli.run:run", "Do everything once: start, deploy, generate, wait, report."),
    "up": LazyCommand("fluvial.cli.up:up", "Start or mend the local profile, and deploy a use case."),
    "down": LazyCommand("fluvial.cli.down:down", "Stop everything that `up` started."),
    "status": LazyCommand("fluvial.cli.status:status", "Show how the parts of the local profile stand."),
    "init": LazyCommand("fluvial.cli.init:init", "Make a new use case, from a template or from a running database."),
    "validate": LazyCommand(
        "fluvial.cli.validate:validate", "Check tables.yaml: every problem at once, with its line."
    ),
    "compile": LazyCommand(
        "fluvial.cli.compile:compile_use_case", "Show or write what tables.yaml becomes: DMS, Kafka, DDL, stacks."
    ),
    "schema": LazyCommand("fluvial.cli.schema:schema", "Print the JSON Schema of tables.yaml, or its reference page."),
    "plan": LazyCommand("fluvial.cli.plan:plan", "Show what an edited tables.yaml would do; changes nothing."),
    "backtest": LazyCommand(
        "fluvial.cli.backtest:backtest", "Tell what a rule would have quarantined, before it does."
    ),
    "apply": LazyCommand("fluvial.cli.apply:apply", "Do what `plan` showed."),
    "generate": LazyCommand(
        "fluvial.cli.generate:generate", "Write a scenario into the source: seed, generate, burst."
    ),
    "resnapshot": LazyCommand(
        "fluvial.cli.resnapshot:resnapshot", "Take the snapshot again with a new slot, after one was lost."
    ),
    "replay": LazyCommand("fluvial.cli.replay:replay", "Send recorded Kafka records through the streaming chain."),
    "query": LazyCommand("fluvial.cli.query:query", "Ask the lake with SQL; starts no JVM."),
    "explain": LazyCommand("fluvial.cli.explain:explain", "Tell the story of one row: each event and what it became."),
    "quarantine": LazyCommand("fluvial.cli.quarantine:app", "List, show and replay events that broke a rule."),
    "settle": LazyCommand("fluvial.cli.settle:settle", "Fold what waits in the logs into the histories, now."),
    "rebuild": LazyCommand("fluvial.cli.settle:rebuild", "Derive a whole history from its log, and replace it."),
    "parked": LazyCommand("fluvial.cli.parked:app", "List tables that wait, and resume a stopped one."),
    "verify": LazyCommand("fluvial.cli.verify:verify", "Derive history again from the log, and list each difference."),
}

app = typer.Typer(
    name="fluvial",
    cls=lazy_group(COMMANDS),
    help="Change data capture that becomes trustworthy history.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"fluvial {version('fluvial')}")
        raise typer.Exit


@app.callback()
def _fluvial(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options that stand before any command."""


def main() -> None:
    """Run the command line; a FluvialError is one message on stderr and exit status 1, never a traceback."""
    try:
        app()
    except FluvialError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
