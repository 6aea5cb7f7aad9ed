"""`fluvial status`: how the parts of the local profile stand."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Annotated

import typer

from fluvial.cli.display import print_parts
from fluvial.cli.selection import HomeOption, select_home, select_use_case
from fluvial.config.guarantee import describe
from fluvial.errors import FluvialError
from fluvial.local import stack
from fluvial.local.status import STREAMING_PREFIX, PartStatus


def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    home: HomeOption = None,
) -> None:
    """Show every part; exit status 0 when all of them are up, 1 when something isn't."""
    place = select_home(home)
    parts = stack.status(place)
    is_up = all(part.is_up for part in parts)
    if as_json:
        found = {"home": str(place.root), "is_up": is_up, "parts": [asdict(part) for part in parts]}
        print(json.dumps(found, indent=2))
    else:
        print_parts(parts)
        for line in _guarantees(parts):
            print(line)
    if not is_up:
        raise typer.Exit(1)


def _guarantees(parts: Sequence[PartStatus]) -> Iterator[str]:
    """How far each deployed use case's history can be trusted, where its configuration is at hand."""
    for part in parts:
        if part.name.startswith(STREAMING_PREFIX):
            with suppress(FluvialError):
                yield from describe(select_use_case(part.name.removeprefix(STREAMING_PREFIX)))
