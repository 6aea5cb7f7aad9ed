"""From what was measured to the figures that have a target."""

from collections.abc import Iterator, Mapping

from tests.benchmarks.measure import Series, extra_cpu_seconds, ratio
from tests.benchmarks.pipeline_floor import BAD, EACH, ONCE
from tests.benchmarks.scd2_growth import CLASSIC, EVERY, SETTLE, UNTUNED
from tests.benchmarks.targets import AT_LEAST, AT_MOST, Finding


def judge_large(envelope: str, group: Mapping[str, Series]) -> Iterator[Finding]:
    """T1, T2, T5, T6 and T9 on the fast path."""
    floor, fast, bad = group["floor"], group["fast path"], group[BAD]
    yield Finding("T1", f"{envelope}: fast path / floor", ratio(fast, floor), AT_LEAST, 0.60)
    yield Finding("T2", f"{envelope}: fast path with 2 % bad / floor", ratio(bad, floor), AT_LEAST, 0.50)
    yield Finding("T5", f"{envelope}: jobs a batch, fast path", fast.jobs_per_batch, AT_MOST, 2)
    yield Finding("T5", f"{envelope}: jobs a batch, with quarantine", bad.jobs_per_batch, AT_MOST, 3)
    yield Finding(
        "T6", f"{envelope}: bytes / floor's bytes", fast.bytes_per_event / floor.bytes_per_event, AT_MOST, 1.3
    )
    plain, deequ = group["fast path without metrics"], group["fast path with PyDeequ"]
    yield Finding("T9", f"{envelope}: CPU, metrics on / off", ratio(plain, fast), AT_MOST, 1.10)
    cheaper = extra_cpu_seconds(deequ, plain) / max(extra_cpu_seconds(fast, plain), 0.01)
    yield Finding("T9", f"{envelope}: PyDeequ's CPU / metrics' CPU", cheaper, AT_LEAST, 3)


def judge_micro(envelope: str, group: Mapping[str, Series]) -> Iterator[Finding]:
    """The second halves of T2 and T6."""
    floor, each, every = group["floor"], group[EACH], group[ONCE]
    yield Finding("T2", f"{envelope}: settled each batch / floor", ratio(each, floor), AT_LEAST, 0.40)
    seldom = f"{envelope}: settled every {every.batches} batches / floor"
    yield Finding("T2", seldom, ratio(every, floor), AT_LEAST, 0.40)
    written = every.bytes_per_event / floor.bytes_per_event
    yield Finding("T6", f"{envelope}: bytes, settled every {every.batches} batches / floor's", written, AT_MOST, 3)


def judge_growth(groups: Mapping[str, Mapping[str, Series]]) -> Iterator[Finding]:
    """T3, T4 and the last of T5, over the shortest and the longest history."""
    names = list(groups)
    short, long = groups[names[0]], groups[names[-1]]
    between = f"{names[-1]} / {names[0]}"
    steps = short[SETTLE], long[SETTLE]
    yield Finding("T3", f"CPU of a settle, {between}", ratio(*steps), AT_MOST, 1.15)
    yield Finding(
        "T3", f"bytes of a settle, {between}", steps[1].bytes_per_event / steps[0].bytes_per_event, AT_MOST, 1.05
    )
    yield Finding("T5", f"{names[-1]}: jobs of a settle", steps[1].jobs_per_batch, AT_MOST, 6)
    for name, group, limit in ((names[-1], long, 10), (names[0], short, 5)):
        for design in (UNTUNED, CLASSIC):
            yield Finding("T4", f"{name}: {design} / Fluvial", ratio(group[EVERY], group[design]), AT_LEAST, limit)
