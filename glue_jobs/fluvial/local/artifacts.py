"""Jars and binaries of the local profile: fetched once, compared with the lock, shared between homes.

Below `home.artifacts`, `<group>/` is what runs; it appears in one step, with `.stamp` inside, the digest of the locked
group that it was made from. `incoming/` is unfinished work and safe to delete at any time.
"""

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fluvial.errors import ArtifactError
from fluvial.local.archives import unpack_group
from fluvial.local.home import Home
from fluvial.local.ivy import retrieve
from fluvial.local.lock import Lock, digest_group, load_lock, postgres_group, select_group
from fluvial.local.locks import exclusive
from fluvial.local.progress import Progress, no_progress
from fluvial.local.state_files import accessing, disk_full

MEBIBYTE: Final = 1024 * 1024
ROOM_TO_FETCH: Final = 1536 * MEBIBYTE
ROOM_TO_RUN: Final = 200 * MEBIBYTE
WAIT_SECONDS: Final = 900.0


def ensure_artifacts(home: Home, groups: Sequence[str], progress: Progress = no_progress) -> None:
    """Fetch the groups that are missing or were made from another lock; does nothing when there are none."""
    lock = load_lock()
    if not _missing(home.artifacts, lock, groups):
        return
    check_room(home.artifacts, ROOM_TO_FETCH)

    def waiting() -> None:
        progress("waiting for another fluvial that fetches", 0, 1)

    with (
        exclusive(home.artifacts / ".lock", "fetching", WAIT_SECONDS, waiting),
        accessing(home.artifacts),
    ):
        _fetch(home.artifacts, lock, _missing(home.artifacts, lock, groups), progress)


def check_room(where: Path, needed: int, free: int | None = None) -> None:
    """Refuse to begin work that would fill the disk; `free` is what the file system of `where` says by default."""
    existing = next(path for path in (where, *where.parents) if path.exists())
    available = shutil.disk_usage(existing).free if free is None else free
    if available < needed:
        raise disk_full(where, f"{(needed - available) // MEBIBYTE + 1} MiB of")


def spark_jars(home: Home) -> tuple[Path, ...]:
    """What pyspark lacks, for `spark.jars`."""
    return locked_jars(home, "spark")


def locked_jars(home: Home, group: str) -> tuple[Path, ...]:
    """The jars of one group, as the lock names them."""
    return tuple(home.artifacts / group / file.name for file in select_group(load_lock(), group))


def plugin_path(home: Home) -> Path:
    """Kafka Connect's plugin.path."""
    return home.artifacts / "postgres"


def postgres_program(home: Home, name: str) -> Path:
    """One of PostgreSQL's programs."""
    return home.artifacts / postgres_group() / "bin" / name


def verify_files(files: Lock, folder: Path) -> None:
    """Compare `folder/<group>/<name>` with the lock; the first difference is an ArtifactError."""
    for file in files:
        path = folder / file.group / file.name
        if not path.is_file():
            raise ArtifactError(f"{file.name} was not fetched", "run it again", part="artifacts")
        found = hash_file(path)
        if found != file.sha256:
            raise ArtifactError(
                f"{file.name} is not the file this release was proven with: SHA-256 {found}, expected {file.sha256}",
                "something between here and Maven Central changed it; it was deleted, run it again to fetch it anew",
                part="artifacts",
            )


def hash_file(path: Path) -> str:
    """The SHA-256 of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def is_current(artifacts: Path, lock: Lock, group: str) -> bool:
    """Whether a group is there as the lock has it."""
    try:
        return (artifacts / group / ".stamp").read_text(encoding="utf-8").strip() == digest_group(lock, group)
    except OSError:
        return False


def _missing(artifacts: Path, lock: Lock, groups: Sequence[str]) -> tuple[str, ...]:
    return tuple(group for group in groups if not is_current(artifacts, lock, group))


def _fetch(artifacts: Path, lock: Lock, groups: Sequence[str], progress: Progress) -> None:
    if not groups:
        return
    files = tuple(file for file in lock if file.group in groups)
    incoming = artifacts / "incoming" / "fetched"
    shutil.rmtree(incoming, ignore_errors=True)
    retrieve(files, incoming, Home(artifacts / "incoming"), progress)
    try:
        verify_files(files, incoming)
    except ArtifactError:
        shutil.rmtree(artifacts / "incoming")
        raise
    for done, group in enumerate(groups):
        progress("unpacking", done, len(groups))
        _install(artifacts, lock, group, incoming / group)
    progress("unpacking", len(groups), len(groups))
    shutil.rmtree(artifacts / "incoming")


def _install(artifacts: Path, lock: Lock, group: str, fetched: Path) -> None:
    fresh, target = artifacts / "incoming" / f"{group}.new", artifacts / group
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    unpack_group(group, fetched, fresh)
    (fresh / ".stamp").write_text(digest_group(lock, group) + "\n", encoding="utf-8")
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)
