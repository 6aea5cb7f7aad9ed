"""The real stack, once for all tests of this folder."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fluvial.local.endpoints import Endpoints
from fluvial.local.home import Home, default_home
from fluvial.local.stack import down, up


@dataclass(frozen=True)
class Stack:
    """A started PostgreSQL, Kafka and Kafka Connect, in a home of their own."""

    home: Home
    endpoints: Endpoints


@pytest.fixture(scope="session")
def shared_artifacts() -> Path:
    """The jars and binaries of the checkout; child processes find them as well."""
    artifacts = default_home().artifacts
    os.environ["FLUVIAL_ARTIFACTS"] = str(artifacts)
    return artifacts


@pytest.fixture(scope="session")
def new_home(shared_artifacts: Path) -> Iterator[Home]:
    """An empty home with a short path, stopped and deleted in the end."""
    home = Home(Path(tempfile.mkdtemp(prefix="fluvial-")))
    yield home
    down(home)
    shutil.rmtree(home.root, ignore_errors=True)


@pytest.fixture(scope="session")
def stack(new_home: Home) -> Stack:
    """The stack that tests share: they use topics, databases and connectors of their own."""
    return Stack(new_home, up(new_home))
