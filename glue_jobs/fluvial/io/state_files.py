"""Small files beside the checkpoint that are either whole or absent, and still there after a power cut."""

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from fluvial.errors import StorageError


class StateFiles(Protocol):
    """Texts by name, below one folder."""

    def names(self) -> Sequence[str]:
        """Every name that has a text."""

    def read(self, name: str) -> str | None:
        """The text, None where there is none; raises StorageError."""

    def write(self, name: str, text: str) -> None:
        """Replaces the text; when this returns, it will be read. Raises StorageError."""

    def copy_aside(self, name: str) -> str:
        """Keeps a copy of a text that can't be read, under no name; where it lies. Raises StorageError."""


@dataclass(frozen=True)
class LocalFiles:
    """Files of a folder on this machine."""

    folder: str

    def names(self) -> Sequence[str]:
        """Every name that has a text, sorted."""
        return sorted(path.stem for path in Path(self.folder).glob("*.json"))

    def read(self, name: str) -> str | None:
        """The text, None where there is none."""
        try:
            return self._path(name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._refused("read", name, error) from error

    def write(self, name: str, text: str) -> None:
        """Replaces the file in one step."""
        path = self._path(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_text(path, text)
        except OSError as error:
            raise self._refused("write", name, error) from error

    def copy_aside(self, name: str) -> str:
        """A copy with another ending, beside the file."""
        path = self._path(name)
        try:
            return str(shutil.copyfile(path, path.with_suffix(".unreadable")))
        except OSError as error:
            raise self._refused("copy", name, error) from error

    def _path(self, name: str) -> Path:
        if "://" in self.folder:
            raise StorageError(f"{self.folder} isn't a folder of this machine", "give another StateFiles")
        return Path(self.folder) / f"{name}.json"

    def _refused(self, verb: str, name: str, error: OSError) -> StorageError:
        hint = "make room, or give the streaming job the right to do so; it tries again by itself"
        return StorageError(f"can't {verb} {self._path(name)}: {error.strerror}", hint)


@dataclass
class MemoryFiles:
    """A fake that forgets everything with the process; `is_broken` makes every write fail."""

    texts: dict[str, str] = field(default_factory=dict)
    is_broken: bool = False
    aside: list[str] = field(default_factory=list)

    def names(self) -> Sequence[str]:
        """Every name that has a text, sorted."""
        return sorted(self.texts)

    def read(self, name: str) -> str | None:
        """The text, None where there is none."""
        return self.texts.get(name)

    def write(self, name: str, text: str) -> None:
        """Replaces the text."""
        if self.is_broken:
            raise StorageError(f"can't write {name}", "this is a test")
        self.texts[name] = text

    def copy_aside(self, name: str) -> str:
        """A text that no name finds."""
        self.aside.append(self.texts[name])
        return f"copy {len(self.aside)}"


def replace_text(path: Path, text: str) -> None:
    """Replaces a file in one step, on disk when this returns; only its owner may read it. Raises OSError."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
