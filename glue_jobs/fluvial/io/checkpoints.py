"""Whether a checkpoint can be trusted: one that lost a part of itself would skip or repeat batches in silence."""

import json
import shlex
from pathlib import Path
from typing import Final

from fluvial.config.locations import Locations
from fluvial.errors import StorageError
from fluvial.io.small_appends import SmallTable

_PARTS: Final = ("commits", "metadata", "offsets", "sources")


def find_damage(checkpoint: str) -> str:
    """What is wrong with a checkpoint on this machine, and what to do; "" where nothing is to be seen."""
    folder = Path(checkpoint)
    newest = (_newest(folder / "offsets"), _newest(folder / "commits"), folder / "metadata")
    broken = [path for path in newest if path is not None and path.exists() and not _is_whole(path)]
    return f"the checkpoint is damaged, {broken[0]} isn't whole; {_advice(checkpoint)}" if broken else ""


def require_progress(locations: Locations, checkpoint: str, query_id: str, batch_id: int) -> None:
    """Raises StorageError for a query that is behind what it wrote: its appends would be taken for repeated ones."""
    written = SmallTable(locations.batches).newest_transaction(f"fluvial/{query_id}/batches")
    if batch_id < written:
        message = f"batch {batch_id} comes, but batch {written} is written: a part of the checkpoint was deleted"
        raise StorageError(message, _advice(checkpoint))


def _advice(checkpoint: str) -> str:
    parts = " ".join(shlex.quote(f"{checkpoint}/{part}") for part in _PARTS)
    return f"delete what is left of it, `rm -rf {parts}`: nothing is written twice, and what is missing is told"


def _newest(folder: Path) -> Path | None:
    numbers = [int(path.name) for path in folder.glob("*") if path.name.isdecimal()]
    return folder / str(max(numbers)) if numbers else None


def _is_whole(path: Path) -> bool:
    """Spark's files are a version, then lines of JSON or `-` (a source without a place); `metadata` is JSON alone."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        if path.name != "metadata":
            version, *lines = lines
            if not version.startswith("v"):
                return False
        return bool(lines) and all(isinstance(json.loads(line), dict) for line in lines if line != "-")
    except (OSError, ValueError):
        return False
