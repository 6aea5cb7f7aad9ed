"""PostgreSQL refuses to run as root: as whom it runs then."""

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

NAMESPACE: Final = ("unshare", "--user", "--map-user=1000", "--map-group=1000")

# Three numbers and a command, without a process in between: its pid must be the server's own.
BECOME: Final = "import os, sys; os.setgroups([]); os.setgid(int(sys.argv[1])); os.setuid(int(sys.argv[2])); "
EXECUTE: Final = "os.execv(sys.argv[3], sys.argv[3:])"


@dataclass(frozen=True)
class Account:
    """A prefix for commands, and who must own the files they write; None means whoever we are."""

    prefix: tuple[str, ...] = ()
    owner: tuple[int, int] | None = None

    def command(self, *words: str | Path) -> Sequence[str]:
        """A command as this account."""
        return [*self.prefix, *(str(word) for word in words)]

    def own(self, *paths: Path) -> None:
        """Give files to this account."""
        if self.owner is not None:
            for path in paths:
                os.chown(path, *self.owner)


def server_account(data: Path) -> Account:
    """Ourselves; for root the owner of `data`, else a user namespace (no account, no chown), else `nobody`."""
    if os.geteuid() != 0:
        return Account()
    if data.exists() and (owner := data.stat()).st_uid != 0:
        return _become(owner.st_uid, owner.st_gid)
    if _has_namespaces():
        return Account(NAMESPACE)
    nobody = pwd.getpwnam("nobody")
    return _become(nobody.pw_uid, nobody.pw_gid)


def _has_namespaces() -> bool:
    return shutil.which(NAMESPACE[0]) is not None and (
        subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode == 0
    )


def _become(user: int, group: int) -> Account:
    return Account((sys.executable, "-I", "-S", "-c", BECOME + EXECUTE, str(group), str(user)), (user, group))
