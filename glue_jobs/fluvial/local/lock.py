"""What the local profile is made of: every artifact by name and SHA-256, in groups that are fetched as one."""

import hashlib
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from fluvial.errors import ArtifactError

MACHINES: Final[Mapping[str, str]] = {
    "x86_64": "amd64",
    "amd64": "amd64",
    "aarch64": "arm64v8",
    "arm64": "arm64v8",
}


@dataclass(frozen=True)
class LockedFile:
    """One artifact; `group` is a configuration of ivy.xml."""

    group: str
    name: str
    sha256: str


Lock = tuple[LockedFile, ...]


def lock_data(name: str) -> Traversable:
    """A file of the lock: ivy.xml, ivysettings.xml or checksums.sha256."""
    return files("fluvial.local").joinpath("data", name)


def load_lock() -> Lock:
    """The lock as committed."""
    return parse_lock(lock_data("checksums.sha256").read_text(encoding="utf-8"))


def parse_lock(text: str) -> Lock:
    """Read lines as `sha256sum` writes them, each name being `group/file`."""
    return tuple(_parse_line(line) for line in text.splitlines() if line)


def select_group(lock: Lock, group: str) -> Lock:
    """The artifacts of one group, in the order of the lock."""
    return tuple(file for file in lock if file.group == group)


def digest_group(lock: Lock, group: str) -> str:
    """Changes whenever any artifact of the group does."""
    lines = "".join(f"{file.sha256}  {file.name}\n" for file in select_group(lock, group))
    return hashlib.sha256(lines.encode()).hexdigest()


def postgres_group(system: str = platform.system(), machine: str = platform.machine()) -> str:
    """The group that holds PostgreSQL's binaries for this machine."""
    kind = MACHINES.get(machine.lower())
    if system not in ("Linux", "Darwin") or kind is None:
        raise ArtifactError(
            f"no PostgreSQL binaries are locked for {system} on {machine}",
            "the local profile runs on Linux and macOS, on x86-64 and arm64",
        )
    return f"pg-{system.lower()}-{kind}"


def stack_groups() -> Sequence[str]:
    """Everything that a running local profile needs on this machine."""
    return ("kafka", "postgres", postgres_group(), "spark")


def _parse_line(line: str) -> LockedFile:
    sha256, path = line.split(maxsplit=1)
    group, name = path.split("/", maxsplit=1)
    return LockedFile(group, name, sha256)
