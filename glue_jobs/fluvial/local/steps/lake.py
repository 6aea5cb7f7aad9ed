"""DROP_LAKE: everything a use case has written below the lake folder."""

import shutil
from pathlib import Path

from fluvial.config.locations import Locations
from fluvial.config.model import UseCase
from fluvial.errors import StackError
from fluvial.local.capture_epoch import forget_epoch
from fluvial.local.change_plan import applied_file
from fluvial.local.health import report_path
from fluvial.local.home import Home
from fluvial.local.streaming import forget_streaming, is_streaming
from fluvial.plan.steps import Step


def drop_lake(step: Step, use_case: UseCase, home: Home) -> dict[str, object]:
    """Deletes tables, checkpoint and side tables of this use case; other use cases and foreign files stay."""
    if is_streaming(use_case, home):
        raise StackError(f"the streaming job of '{use_case.name}' still writes", "stop it first", part="streaming")
    doomed = [path for path in _places(use_case, home.lake) if path.exists()]
    for path in doomed:
        shutil.rmtree(path)
        _remove_empty_parents(path.parent, home.lake)
    forget_streaming(use_case, home)
    forget_epoch(use_case, home)
    report_path(use_case.name, home).unlink(missing_ok=True)
    applied_file(use_case.name, home).unlink(missing_ok=True)
    return {"dropped": [str(path.relative_to(home.lake)) for path in doomed]}


def _places(use_case: UseCase, lake: Path) -> list[Path]:
    locations = Locations(use_case, lake)
    tables = [locations.table(table) for table in use_case.tables]
    places = [place for table in tables for place in (table.history, table.log, table.quarantine)]
    places += [locations.dead_letters, locations.quarantine_replays, locations.dq_metrics, locations.batches]
    places.append(locations.checkpoint)
    inside = (Path(place).resolve() for place in places)
    return [path for path in dict.fromkeys(inside) if path != lake.resolve() and path.is_relative_to(lake.resolve())]


def _remove_empty_parents(folder: Path, lake: Path) -> None:
    while folder != lake.resolve() and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
