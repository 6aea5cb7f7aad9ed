"""`fluvial replay`: recorded Kafka records through exactly the streaming chain, without Kafka."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from fluvial.cli.selection import ConfigOption, HomeOption, select_home, select_use_case
from fluvial.cli.spark import spark_session
from fluvial.config.model import UseCase
from fluvial.io.events_file import read_events, shuffle_events
from fluvial.io.logging import configure_logging
from fluvial.io.replay import replay_events
from fluvial.local.secrets import provide_secrets
from fluvial.local.streaming import sole_writer
from fluvial.streams import TableCounts


def replay(
    events: Annotated[Path, typer.Option("--events", help="JSON lines as `kcat -J` prints them.")],
    config: ConfigOption = None,
    home: HomeOption = None,
    micro_batch: Annotated[int, typer.Option(min=1, help="Records in each micro-batch.")] = 10_000,
    shuffle: Annotated[
        int | None,
        typer.Option(metavar="SEED", help="Deliver in an order drawn from SEED, and every fourth record twice."),
    ] = None,
) -> None:
    """Send recorded Kafka records through the streaming chain into the lake of --home; print counts as JSON.

    Records the lake already holds are counted as duplicates and change nothing.
    """
    configure_logging("warning")
    use_case, place = select_use_case(config), select_home(home)
    for _ in read_events(events):
        pass
    records = read_events(events) if shuffle is None else shuffle_events(read_events(events), shuffle)
    provide_secrets(use_case, place)
    with (
        sole_writer(use_case, place, "fluvial replay"),
        spark_session("fluvial-replay", place, {"spark.driver.memory": "2g"}) as session,
    ):
        counts = replay_events(session, use_case, place.lake, records, micro_batch)
    typer.echo(json.dumps(_summary(use_case, events, counts), indent=2))


def _summary(use_case: UseCase, events: Path, counts: Mapping[str, TableCounts]) -> dict[str, object]:
    """Totals, then the same for each configured table and for records that no table claims."""
    tables = {table.name: TableCounts() for table in use_case.tables} | dict(counts)
    total = sum(tables.values(), TableCounts())
    return {
        "use_case": use_case.name,
        "events": str(events),
        **_as_words(total),
        "tables": {name: _as_words(count) for name, count in tables.items()},
    }


def _as_words(counts: TableCounts) -> dict[str, int]:
    return {
        "consumed": counts.consumed,
        "log": counts.log_rows,
        "quarantined": counts.quarantined,
        "dead_letters": counts.dead_letters,
        "control": counts.control_messages,
        "tombstones": counts.tombstones,
        "duplicates": counts.duplicates,
    }
