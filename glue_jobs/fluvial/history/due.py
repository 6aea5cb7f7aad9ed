"""`is_due`: whether the rows of a log that wait to be settled have waited for long enough."""

from dataclasses import dataclass
from datetime import datetime

from fluvial.config.settle import SettlePolicy


@dataclass(frozen=True)
class Unsettled:
    """What of a log no settle has folded in: rows, bytes of their files, and when the oldest was logged (UTC).

    `versions` counts commits of the log; `is_known` is false where some of them are cleaned up and can't be counted.
    """

    versions: int = 0
    rows: int = 0
    bytes: int = 0
    since: datetime | None = None
    is_known: bool = True


def is_due(policy: SettlePolicy, waiting: Unsettled, now: datetime) -> bool:
    """Whether a settle is due at `now`; never where nothing waits."""
    if not waiting.versions:
        return False
    if policy.policy == "each_batch" or not waiting.is_known:
        return True
    return (
        _is_over(policy.most_rows, waiting.rows)
        or _is_over(policy.most_bytes, waiting.bytes)
        or _is_old(policy, waiting, now)
    )


def _is_over(limit: int | None, found: int) -> bool:
    return limit is not None and found >= limit


def _is_old(policy: SettlePolicy, waiting: Unsettled, now: datetime) -> bool:
    limit = policy.longest_wait
    return limit is not None and waiting.since is not None and now - waiting.since >= limit
