"""Places in the lake that two of Fluvial's own tables would share."""

from collections.abc import Iterator

from fluvial.config.codes import Code
from fluvial.config.findings import Finding, Path
from fluvial.config.locations import Locations
from fluvial.config.model import Table, UseCase
from fluvial.config.reserved import is_reserved_table


def place_findings(use_case: UseCase) -> Iterator[Finding]:
    """Every table, log, quarantine and system table needs a folder that is no other's, and lies in no other's."""
    above, owner = "", ""
    # Sorted with its closing slash, a folder is followed by all that lies in it.
    for folder, path, what in sorted(_places(use_case), key=lambda each: (each[0], each[1][0] == "settings")):
        if above and folder.startswith(above):
            message = f"{what} would lie in the folder of {owner}: {folder}"
            yield Finding(path, Code.SHARED_PLACE, message, "give each a folder of its own")
        else:
            above, owner = folder, what


def _folder(place: str) -> str:
    return place.replace("s3a://", "s3://").rstrip("/") + "/"


def _places(use_case: UseCase) -> Iterator[tuple[str, Path, str]]:
    places = Locations(use_case)
    quarantine: Path = ("settings", "quarantine_path")
    yield _folder(places.checkpoint), ("settings", "checkpoint_location"), "the checkpoint"
    yield _folder(places.dead_letters), quarantine, "the dead letters"
    yield _folder(places.quarantine_replays), quarantine, "the audit of replays"
    yield _folder(places.dq_metrics), ("settings", "delta_bucket"), "the metrics"
    yield _folder(places.batches), ("settings", "delta_bucket"), "the accounting of batches"
    for position, table in _apart(use_case):
        at = places.table(table)
        own: Path = ("tables", position, "delta_path" if table.delta_path else "name")
        yield _folder(at.history), own, f"the history of '{table.name}'"
        yield _folder(at.log), own, f"the log of '{table.name}'"
        yield _folder(at.quarantine), quarantine, f"the quarantine of '{table.name}'"


def _apart(use_case: UseCase) -> Iterator[tuple[int, Table]]:
    """Tables of usable, different names and places; the others have findings of their own."""
    seen: set[str] = set()
    for position, table in enumerate(use_case.tables):
        names = {table.name.lower(), table.delta_path.rstrip("/").lower() or f"{table.name.lower()}/"}
        if not is_reserved_table(table.name) and not names & seen:
            yield position, table
        seen |= names
