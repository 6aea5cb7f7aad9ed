"""`make bench`: runs the benchmarks, writes JSON and tables, and exits with 1 where a target is missed."""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from pyspark.sql import SparkSession

from tests.benchmarks import pipeline_floor, scd2_growth
from tests.benchmarks.deequ import stop_callbacks
from tests.benchmarks.measure import Series
from tests.benchmarks.pipeline_floor import PipelineFloor
from tests.benchmarks.report import as_json, as_text, describe_machine
from tests.benchmarks.scd2_growth import Scd2Growth
from tests.benchmarks.session import open_session
from tests.benchmarks.targets import Finding
from tests.benchmarks.telemetry import ENVELOPES, telemetry_use_case
from tests.benchmarks.verdicts import judge_growth, judge_large, judge_micro

CHECKOUT: Final = Path(__file__).parents[2]
BENCHMARKS: Final = ("pipeline_floor", "pipeline_micro", "scd2_growth", "scd2_growth_skewed")
Measured = tuple[dict[str, Mapping[str, Series]], list[Finding]]


def main(arguments: Sequence[str] | None = None) -> int:
    """0 where every target is met."""
    wanted = _parser().parse_args(arguments)
    session = open_session()
    folder = Path(tempfile.mkdtemp(prefix="fluvial-bench-"))
    try:
        groups, findings = _run(session, folder, wanted)
        machine = describe_machine(session, CHECKOUT)
    finally:
        stop_callbacks(session)
        session.stop()
        shutil.rmtree(folder, ignore_errors=True)
    wanted.output.parent.mkdir(parents=True, exist_ok=True)
    wanted.output.write_text(as_json(machine, groups, findings) + "\n", encoding="utf-8")
    print(f"\n{as_text(groups, findings)}\n\n{wanted.output}")
    return 0 if all(finding.is_met for finding in findings) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small batches and few rounds: for a first look")
    parser.add_argument("--only", choices=BENCHMARKS, action="append", help="one benchmark; may be repeated")
    parser.add_argument("--envelope", choices=ENVELOPES, action="append", help="one envelope; may be repeated")
    parser.add_argument("--million-keys", action="store_true", help="scd2_growth with 1,000,000 keys instead of 20,000")
    parser.add_argument("--output", type=Path, default=CHECKOUT / ".fluvial/bench/latest.json")
    return parser


def _run(session: SparkSession, folder: Path, wanted: argparse.Namespace) -> Measured:
    """One benchmark after the other, each told of when it ends; within each, the rivals take turns."""
    groups: dict[str, Mapping[str, Series]] = {}
    findings: list[Finding] = []
    for run in _benchmarks(session, folder, wanted):
        measured, found = run()
        _say(as_text(measured, found))
        groups, findings = groups | measured, findings + found
    return groups, findings


def _benchmarks(session: SparkSession, folder: Path, wanted: argparse.Namespace) -> Iterator[Callable[[], Measured]]:
    floor = _pipeline_floor(session, folder, wanted)
    for envelope in wanted.envelope or ENVELOPES:
        if _is_wanted(wanted, "pipeline_floor"):
            yield partial(_large, floor, envelope)
        if _is_wanted(wanted, "pipeline_micro"):
            yield partial(_micro, floor, envelope)
    for name, is_skewed in (("scd2_growth", False), ("scd2_growth_skewed", True)):
        if _is_wanted(wanted, name):
            growth = Scd2Growth(session, folder / name, _growth_size(wanted, is_skewed=is_skewed), _say)
            yield partial(_growth, growth, is_skewed=is_skewed)


def _large(floor: PipelineFloor, envelope: str) -> Measured:
    measured = floor.run_large(envelope)
    return {f"pipeline_floor, {envelope}": measured}, list(judge_large(envelope, measured))


def _micro(floor: PipelineFloor, envelope: str) -> Measured:
    measured = floor.run_micro(envelope)
    return {f"pipeline_micro, {envelope}": measured}, list(judge_micro(envelope, measured))


def _growth(growth: Scd2Growth, *, is_skewed: bool) -> Measured:
    measured = growth.run(is_skewed=is_skewed)
    return {f"scd2_growth, {life}": series for life, series in measured.items()}, list(judge_growth(measured))


def _growth_size(wanted: argparse.Namespace, *, is_skewed: bool) -> scd2_growth.Size:
    if wanted.million_keys:
        return scd2_growth.LARGE
    if wanted.quick:
        return scd2_growth.QUICK
    return scd2_growth.SKEWED if is_skewed else scd2_growth.FULL


def _pipeline_floor(session: SparkSession, folder: Path, wanted: argparse.Namespace) -> PipelineFloor:
    use_case = telemetry_use_case(CHECKOUT / "config/vehicle-telemetry/tables.yaml")
    size = pipeline_floor.QUICK if wanted.quick else pipeline_floor.FULL
    return PipelineFloor(session, use_case, folder, size, _say)


def _is_wanted(wanted: argparse.Namespace, name: str) -> bool:
    return not wanted.only or name in wanted.only


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
