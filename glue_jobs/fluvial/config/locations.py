"""Where each table of a use case lies; on the local profile `s3://bucket/key` becomes a path in the lake folder."""

from dataclasses import dataclass
from pathlib import Path

from fluvial.config.model import MAIN_LANE, Table, UseCase


@dataclass(frozen=True)
class TableLocations:
    """The three tables behind one configured table."""

    history: str
    log: str
    quarantine: str


@dataclass(frozen=True)
class Locations:
    """Maps every place a use case names; `lake` is None on AWS, a local folder otherwise."""

    use_case: UseCase
    lake: Path | None = None

    def table(self, table: Table) -> TableLocations:
        """Places of one table's history, log and quarantine."""
        history = table.delta_path or f"{self._bucket_url()}/{table.name}"
        quarantine = f"{self.use_case.settings.quarantine_path.rstrip('/')}/{table.name}"
        return TableLocations(
            history=self.resolve(history),
            log=self.resolve(f"{history.rstrip('/')}__log"),
            quarantine=self.resolve(quarantine),
        )

    @property
    def dead_letters(self) -> str:
        """The one dead-letter table of the use case."""
        return self.resolve(f"{self.use_case.settings.quarantine_path.rstrip('/')}/dead_letters")

    @property
    def quarantine_replays(self) -> str:
        """The audit of quarantine replays: one row for each run and event."""
        return self.resolve(f"{self.use_case.settings.quarantine_path.rstrip('/')}/quarantine_replays")

    @property
    def dq_metrics(self) -> str:
        """The one metrics table of the use case."""
        return self.resolve(f"{self._bucket_url()}/dq_metrics")

    @property
    def batches(self) -> str:
        """The accounting table: one row for each table and micro-batch."""
        return self.resolve(f"{self._bucket_url()}/batches")

    @property
    def checkpoint(self) -> str:
        """The streaming checkpoint of the main lane; whatever the other lanes keep lies below it."""
        return self.resolve(self.use_case.settings.checkpoint_location)

    def lane_checkpoint(self, lane: str) -> str:
        """The streaming checkpoint of one lane."""
        return self.checkpoint if lane == MAIN_LANE else f"{self.checkpoint.rstrip('/')}/lanes/{lane}"

    @property
    def parked(self) -> str:
        """The folder that says, in a file for each table, what waits for it."""
        return f"{self.checkpoint.rstrip('/')}/parked"

    @property
    def topics(self) -> str:
        """The folder that says, in a file for each topic, which one of that name was last read."""
        return f"{self.checkpoint.rstrip('/')}/topics"

    def resolve(self, url: str) -> str:
        """The place Spark and delta-rs open: the URL itself on AWS, a path below the lake on the local profile."""
        scheme, separator, rest = url.partition("://")
        if self.lake is None or not separator:
            return url
        return str(self.lake / rest.strip("/")) if scheme in {"s3", "s3a"} else rest

    def _bucket_url(self) -> str:
        bucket = self.use_case.settings.delta_bucket.rstrip("/")
        return bucket if "://" in bucket or bucket.startswith("/") else f"s3://{bucket}"
