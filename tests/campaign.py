"""How much of each tier of the proof runs: a sample in CI, all of it with `make campaign`."""

import os
from typing import Final

IS_FULL: Final = os.environ.get("CAMPAIGN") == "full"


def sized(sample: int, full: int) -> range:
    """Numbers from 0 on, as many as this run is to try; each is a seed."""
    return range(full if IS_FULL else sample)


def command_of(test: str) -> str:
    """The command that runs one failed test again, seed and all."""
    return f"CAMPAIGN=full .venv/bin/pytest '{test}'"
