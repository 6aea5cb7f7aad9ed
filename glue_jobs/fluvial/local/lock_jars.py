"""For maintainers: `python -m fluvial.local.lock_jars` fetches every artifact of ivy.xml and locks what it got.

Run it (or `make lock-jars`) after a change of ivy.xml, and read the difference before committing it.
"""

import re
import sys
import tempfile
from importlib.resources import as_file
from pathlib import Path

from fluvial.local.artifacts import hash_file
from fluvial.local.home import Home
from fluvial.local.ivy import retrieve
from fluvial.local.lock import LockedFile, lock_data
from fluvial.local.progress import no_progress


def main() -> None:
    """Rewrite checksums.sha256 next to ivy.xml."""
    groups = re.findall(r'<conf name="([^"]+)"', lock_data("ivy.xml").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder, as_file(lock_data("checksums.sha256")) as target:
        fetched = Path(folder) / "fetched"
        retrieve(tuple(LockedFile(group, "", "") for group in groups), fetched, Home(Path(folder)), no_progress)
        target.write_text("".join(_line(fetched, path) for path in sorted(fetched.glob("*/*"))), encoding="utf-8")
        sys.stdout.write(f"wrote {target}\n")


def _line(fetched: Path, path: Path) -> str:
    return f"{hash_file(path)}  {path.relative_to(fetched).as_posix()}\n"


if __name__ == "__main__":
    main()
