"""From what was measured to the figures that have a target."""

from collections.abc import Iterator, Mapping

from tests.benchmarks.measure import Series, ratio
from tests.benchmarks.targets import AT_LEAST, AT_MOST, Finding


def judge_large(envelope: str, group: Mapping[str, Series]) -> Iterator[Finding]:
    """T1, T2, T5, T6 and T9 on the fast path."""
    floor, fast, bad = group["floor"], group["fast path"], group["fast path, 2 % bad"]
    yield Finding("T1", f"{envelope}: fast path / floor", ratio(fast, floor), AT_LEAST, 0.60)
    yield Finding("T2", f"{envelope}: fast path with 2 % bad / floor", ratio(bad, floor), AT_LEAST, 0.50)
    yield Finding("T5", f"{envelope}: jobs a batch, fast path", fast.jobs_per_batch, AT_MOST, 2)
    yield Finding("T5", f"{envelope}: jobs a batch, with quarantine", bad.jobs_per_batch, AT_MOST, 3)
    yield Finding(
        "T6", f"{envelope}: bytes / floor's bytes", fast.bytes_per_event / floor.bytes_per_event, AT_MOST, 1.3
    )
    plain, deequ = group["fast path without metrics"], group["fast path with PyDeequ"]
    yield Finding("T9", f"{envelope}: CPU, metrics on / off", ratio(plain, fast), AT_MOST, 1.10)
    cheaper = (deequ.cpu_seconds - plain.cpu_seconds) / max(fast.cpu_seconds - plain.cpu_seconds, 0.01)
    yield Finding("T9", f"{envelope}: PyDeequ's CPU / metrics' CPU", cheaper, AT_LEAST, 3)


def judge_micro(envelope: str, group: Mapping[str, Series]) -> Iterator[Finding]:
    """The second half of T2."""
    whole, floor = group["whole job"], group["floor"]
    yield Finding("T2", f"{envelope}: whole job with settling / floor", ratio(whole, floor), AT_LEAST, 0.40)
