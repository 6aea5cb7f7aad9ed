"""Small files that are either whole or absent."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fluvial.errors import DiskFullError, StackError
from fluvial.io.state_files import replace_text


def write_state(path: Path, text: str) -> None:
    """Replace `path` in one step; only its owner may read it."""
    with accessing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_text(path, text)


@contextmanager
def accessing(where: Path) -> Iterator[None]:
    """Turn "no space left" and "permission denied" into errors that name the place."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(where) from error
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        raise StackError(
            f"no access to {where}: {error.strerror}",
            "it may belong to another user (did root start it?): set FLUVIAL_HOME to a directory of your own",
        ) from error


def disk_full(where: Path, room: str = "some") -> DiskFullError:
    """The error for a file system with too little room below `where`."""
    return DiskFullError(
        f"the disk is full: no room left under {where}",
        f"free {room} space there, or set FLUVIAL_HOME to a directory on a larger disk; then run it again",
    )
