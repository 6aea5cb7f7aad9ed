"""The one directory that holds everything the local profile writes."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Home:
    """A state directory; `root` is absolute."""

    root: Path

    @property
    def run(self) -> Path:
        """Pid files, endpoints, locks, generated properties."""
        return self.root / "run"

    @property
    def logs(self) -> Path:
        """`<part>.log` of every part."""
        return self.root / "logs"

    @property
    def lake(self) -> Path:
        """What `s3://` means here."""
        return self.root / "s3"

    @property
    def data(self) -> Path:
        """The data directories of PostgreSQL and Kafka."""
        return self.root / "data"

    @property
    def secrets(self) -> Path:
        """Keys of the transforms that hide, made here because there is no Secrets Manager."""
        return self.root / "secrets"

    @property
    def airflow(self) -> Path:
        """AIRFLOW_HOME."""
        return self.root / "airflow"

    @property
    def artifacts(self) -> Path:
        """Jars and binaries, shared between homes: FLUVIAL_ARTIFACTS, else below the default home."""
        override = os.environ.get("FLUVIAL_ARTIFACTS")
        return Path(override).absolute() if override else default_home().root / "artifacts"


def default_home() -> Home:
    """FLUVIAL_HOME; else `.fluvial` in the nearest checkout around the working directory, else in that directory."""
    override = os.environ.get("FLUVIAL_HOME")
    return Home(Path(override).absolute() if override else (checkout_root() or Path.cwd()) / ".fluvial")


def checkout_root() -> Path | None:
    """The nearest directory from the working directory upwards that holds `config` and `glue_jobs`."""
    here = Path.cwd()
    return next((at for at in (here, *here.parents) if (at / "config").is_dir() and (at / "glue_jobs").is_dir()), None)
