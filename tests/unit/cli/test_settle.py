from pathlib import Path

import pytest

from fluvial.errors import FluvialError, StackBusyError
from fluvial.local.home import Home
from fluvial.local.streaming import sole_writer
from tests.unit.cli.test_explain import fleet, fluvial
from tests.unit.io.lakes import use_case_of

__all__ = ["fleet"]


@pytest.mark.parametrize("command", ["settle", "rebuild"])
def test_nothing_is_settled_beside_another_writer(fleet: tuple[str, ...], command: str) -> None:
    with sole_writer(use_case_of(), Home(Path(fleet[3]).absolute()), "mending"):
        result = fluvial(command, "vehicles", *fleet)
    assert isinstance(result.exception, StackBusyError)
    assert "(mending, since" in result.exception.message


@pytest.mark.parametrize("command", ["settle", "rebuild"])
def test_an_unknown_table_is_an_error_that_names_the_known_ones(fleet: tuple[str, ...], command: str) -> None:
    error = fluvial(command, "lorries", *fleet).exception
    assert isinstance(error, FluvialError)
    assert (error.message, error.hint) == ("unknown table lorries", "fleet has vehicles")
