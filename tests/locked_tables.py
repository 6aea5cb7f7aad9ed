"""A table's lock in the hands of another process."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_HOLD = """
import sys
from fluvial.io.commit_lock import commit_lock
with commit_lock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def locked_elsewhere(table: str) -> Iterator[subprocess.Popen[str]]:
    """The other process, which holds the lock until it is killed, or until the end."""
    command = [sys.executable, "-c", _HOLD, table]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield holder
        holder.kill()
