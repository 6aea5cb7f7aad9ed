"""`make bench`: runs the benchmarks, writes JSON and tables, and exits with 1 where a target is missed."""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
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
    """One benchmark after the other; within each, the rivals take turns."""
    groups: dict[str, Mapping[str, Series]] = {}
    findings: list[Finding] = []
    for envelope in wanted.envelope or ENVELOPES:
        floor = _pipeline_floor(session, folder, wanted)
        if _is_wanted(wanted, "pipeline_floor"):
            large = groups[f"pipeline_floor, {envelope}"] = floor.run_large(envelope)
            findings += judge_large(envelope, large)
        if _is_wanted(wanted, "pipeline_micro"):
            micro = groups[f"pipeline_micro, {envelope}"] = floor.run_micro(envelope)
            findings += judge_micro(envelope, micro)
    for name, is_skewed in (("scd2_growth", False), ("scd2_growth_skewed", True)):
        if _is_wanted(wanted, name):
            grown = _scd2_growth(session, folder / name, wanted).run(is_skewed=is_skewed)
            groups |= {f"scd2_growth, {life}": series for life, series in grown.items()}
            findings += judge_growth(grown)
    return groups, findings


def _scd2_growth(session: SparkSession, folder: Path, wanted: argparse.Namespace) -> Scd2Growth:
    size = scd2_growth.QUICK if wanted.quick else scd2_growth.FULL
    return Scd2Growth(session, folder, scd2_growth.LARGE if wanted.million_keys else size, _say)


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
