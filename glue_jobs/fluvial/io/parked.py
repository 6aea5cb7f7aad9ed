"""A parked table as a value: what waits for it, since when and why, and when it is tried again."""

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

_FIRST_PAUSE_SECONDS: Final = 2.0
_LONGEST_PAUSE_SECONDS: Final = 300.0


@dataclass(frozen=True)
class OffsetRange:
    """Offsets of one partition, from `first` up to and without `end`."""

    topic: str
    partition: int
    first: int
    end: int

    def __str__(self) -> str:
        return f"{self.topic} partition {self.partition}, offsets {self.first} to {self.end - 1}"


@dataclass(frozen=True)
class BatchId:
    """A micro-batch of a query; its number grows from one to the next."""

    query_id: str
    number: int

    def reaches(self, other: "BatchId") -> bool:
        """Whether the other is the same micro-batch, or one before it in the same query."""
        return self.query_id == other.query_id and self.number >= other.number


@dataclass(frozen=True)
class Share:
    """What a micro-batch holds of one table; several that nobody has tried become one, named after the last of them."""

    batch: BatchId
    records: int
    ranges: tuple[OffsetRange, ...]
    is_tried: bool = False

    def joined(self, later: "Share") -> "Share":
        """Both as one."""
        found = {(each.topic, each.partition): each for each in self.ranges}
        for each in later.ranges:
            known = found.get((each.topic, each.partition), each)
            found[each.topic, each.partition] = replace(
                known, first=min(known.first, each.first), end=max(known.end, each.end)
            )
        return Share(later.batch, self.records + later.records, tuple(found.values()))


@dataclass(frozen=True)
class ParkedNotice:
    """What somebody should know of a parked table; times are UTC, `next_try` is "" where it is stopped."""

    table: str
    lane: str
    since: str
    waiting: int
    error: str
    next_try: str

    def __str__(self) -> str:
        told = f"{self.table} (lane {self.lane}) is {'parked' if self.next_try else 'stopped'} since {self.since}"
        waits = f"{self.waiting:,} records wait, " + (f"next try {self.next_try}" if self.next_try else "no try")
        return f"{told}, {waits}: {self.error}"


@dataclass(frozen=True)
class ParkedTable:
    """What waits for a table, oldest first. With a `stop`, nothing is tried until somebody has decided what to do.

    Who resumes it `accepts_gap`: what Kafka has lost of the shares is left out. Where its circuit breaker stopped it
    (`is_open`) there is no gap, and who resumes it `accepts_bad` only by saying so: the breaker lets all shares pass
    that wait. `done` is the newest micro-batch whose share was written while the table was parked; it outlives the
    parking.
    """

    table: str
    lane: str
    since: datetime
    error: str
    next_try: datetime
    attempts: int = 0
    shares: tuple[Share, ...] = ()
    stop: str = ""
    accepts_gap: bool = False
    is_open: bool = False
    accepts_bad: bool = False
    done: BatchId | None = None

    @property
    def is_parked(self) -> bool:
        """Whether new records of the table have to wait."""
        return bool(self.shares or self.stop)

    @property
    def waiting(self) -> int:
        """Records that wait."""
        return sum(share.records for share in self.shares)

    @property
    def notice(self) -> ParkedNotice:
        """For status, health and reports."""
        since, next_try = (time.isoformat(timespec="seconds") for time in (self.since, self.next_try))
        return ParkedNotice(
            self.table, self.lane, since, self.waiting, self.stop or self.error, "" if self.stop else next_try
        )

    def is_due(self, now: datetime) -> bool:
        """Whether it is time to try."""
        return bool(self.shares) and not self.stop and self.next_try <= now

    def has_taken(self, batch: BatchId) -> bool:
        """Whether the table's share of a micro-batch waits here, or was written from here."""
        known = [share.batch for share in self.shares] + ([self.done] if self.done else [])
        return any(each.reaches(batch) for each in known)

    def with_share(self, share: Share, most_records: int) -> "ParkedTable":
        """One more share to wait; it joins the last one while that is untried and both have at most `most_records`."""
        last = self.shares[-1] if self.shares else None
        if last is None or not _may_join(last, share, most_records):
            return replace(self, shares=(*self.shares, share))
        return replace(self, shares=(*self.shares[:-1], last.joined(share)))

    def begun(self) -> "ParkedTable":
        """The oldest share is about to be written: from now on it may be half written, and keeps its identity."""
        first, *rest = self.shares
        return replace(self, shares=(replace(first, is_tried=True), *rest))

    def failed(self, error: str, now: datetime, draw: float) -> "ParkedTable":
        """A try that failed; `draw`, from 0 to 1, spreads the next ones."""
        pause = timedelta(seconds=pause_seconds(self.attempts + 1, draw))
        return replace(self, error=error, attempts=self.attempts + 1, next_try=now + pause)

    def advanced(self, now: datetime) -> "ParkedTable":
        """The oldest share is written."""
        first, *rest = self.shares
        written = replace(self, shares=tuple(rest), done=first.batch, attempts=0, next_try=now)
        return written if rest else replace(written, accepts_gap=False, accepts_bad=False)

    def stopped(self, why: str, *, is_open: bool) -> "ParkedTable":
        """Not tried any more."""
        return replace(self, stop=why, error=why, is_open=is_open)

    def resumed(self, now: datetime, *, accepts_bad: bool) -> "ParkedTable":
        """No longer stopped; what is missing stays missing."""
        waits = bool(self.shares)
        accepts_gap = self.accepts_gap or (waits and not self.is_open)
        accepted = replace(self, accepts_gap=accepts_gap, accepts_bad=waits and (accepts_bad or self.accepts_bad))
        return replace(accepted, stop="", is_open=False, attempts=0, next_try=now)


def pause_seconds(attempts: int, draw: float) -> float:
    """How long to wait after so many failed tries: twice as long each time, at most five minutes, half of it random."""
    longest = min(_FIRST_PAUSE_SECONDS * 2.0 ** min(attempts - 1, 30), _LONGEST_PAUSE_SECONDS)
    return longest * (0.5 + draw / 2)


def to_json(parked: ParkedTable) -> str:
    """The text that `from_json` reads."""
    return json.dumps(asdict(parked), default=datetime.isoformat, indent=2)


def from_json(text: str) -> ParkedTable:
    """Raises ValueError, KeyError or TypeError for a text that isn't `to_json`'s."""
    found: dict[str, Any] = json.loads(text)
    times = {name: datetime.fromisoformat(found[name]) for name in ("since", "next_try")}
    done = BatchId(**found["done"]) if found["done"] else None
    return ParkedTable(**found | times | {"done": done, "shares": tuple(map(_share, found["shares"]))})


def _share(found: dict[str, Any]) -> Share:
    ranges = tuple(OffsetRange(**each) for each in found["ranges"])
    return Share(**found | {"batch": BatchId(**found["batch"]), "ranges": ranges})


def _may_join(last: Share, share: Share, most_records: int) -> bool:
    is_same_query = last.batch.query_id == share.batch.query_id
    return not last.is_tried and is_same_query and last.records + share.records <= most_records
