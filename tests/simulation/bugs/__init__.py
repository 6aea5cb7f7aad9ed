"""Planted bugs: each is the pipeline with one thing wrong, and the simulation has to notice every one of them."""

from typing import Final

from tests.simulation.bugs import intake, settling
from tests.simulation.model import Pipeline

_MODULES: Final = (intake, settling)
PLANTED: Final[tuple[type[Pipeline], ...]] = tuple(
    bug
    for module in _MODULES
    for bug in vars(module).values()
    if isinstance(bug, type) and bug.__module__ == module.__name__
)
"""Every bug, in the order of the modules."""
