"""What all tests share: a failure of the campaign says how to repeat it, and pytest's summary is the last word."""

import atexit
import os
from collections.abc import Generator

import pytest

from tests.campaign import command_of


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and item.get_closest_marker("campaign"):
        report.sections.append(("run it again", command_of(item.nodeid)))
    return report


def pytest_unconfigure() -> None:
    """While the interpreter ends, DuckDB lists what the threads of other libraries still hold of it."""
    atexit.register(os.dup2, os.open(os.devnull, os.O_WRONLY), 2)
