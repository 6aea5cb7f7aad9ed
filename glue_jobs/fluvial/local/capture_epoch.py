"""The generation of a use case's capture: kept by the connector, remembered in a file, and told by the logs."""

import json
from pathlib import Path

from fluvial.config.model import UseCase
from fluvial.errors import StackError
from fluvial.io.log_epochs import newest_epoch
from fluvial.local.home import Home
from fluvial.local.state_files import write_state


def next_epoch(use_case: UseCase, home: Home) -> int:
    """The epoch of a capture that begins anew: 0 over an empty lake, else one above all that is known."""
    known = [epoch for epoch in (_remembered(use_case, home), newest_epoch(use_case, home.lake)) if epoch is not None]
    return max(known, default=-1) + 1


def remember_epoch(use_case: UseCase, home: Home, epoch: int) -> None:
    """Written before the connector is created: topics may hold events of an epoch that no log has seen yet."""
    write_state(_path(use_case, home), json.dumps({"epoch": epoch}) + "\n")


def forget_epoch(use_case: UseCase, home: Home) -> None:
    """Once the lake is gone, the next capture is the first."""
    _path(use_case, home).unlink(missing_ok=True)


def _remembered(use_case: UseCase, home: Home) -> int | None:
    path = _path(use_case, home)
    if not path.exists():
        return None
    try:
        return int(json.loads(path.read_text())["epoch"])
    except (ValueError, KeyError, TypeError) as error:
        raise StackError(
            f"{path} doesn't hold the capture's epoch: {error}", "delete it: the logs know the epoch", part="connect"
        ) from error


def _path(use_case: UseCase, home: Home) -> Path:
    return home.run / f"capture-{use_case.name}.json"
