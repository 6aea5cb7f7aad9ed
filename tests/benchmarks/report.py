"""A run as JSON, for comparing with other runs, and as text, for people."""

import json
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from pyspark.sql import SparkSession

from fluvial.io.session import find_versions
from tests.benchmarks.measure import Series
from tests.benchmarks.session import SETTINGS
from tests.benchmarks.targets import Finding

Groups = Mapping[str, Mapping[str, Series]]
"""Series by rival, by what was run."""


def describe_machine(session: SparkSession, checkout: Path) -> dict[str, Any]:
    """What the figures depend on."""
    runtime = session._jvm.java.lang.System
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _git(checkout, "rev-parse", "HEAD"),
        "is_clean": _git(checkout, "status", "--porcelain", "--untracked-files=no") == "",
        "machine": platform.platform(),
        "processor": _processor(),
        "cores": psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "load": [round(load, 2) for load in psutil.getloadavg()],
        "python": platform.python_version(),
        "java": runtime.getProperty("java.runtime.version"),
        "versions": vars(find_versions(session)),
        "settings": SETTINGS,
    }


def as_json(machine: Mapping[str, Any], groups: Groups, findings: Sequence[Finding]) -> str:
    """Everything, rounds included."""
    measured = {name: {rival: _series(series) for rival, series in group.items()} for name, group in groups.items()}
    targets = [vars(finding) | {"is_met": finding.is_met} for finding in findings]
    return json.dumps({"machine": machine, "measured": measured, "targets": targets}, indent=1)


def as_text(groups: Groups, findings: Sequence[Finding]) -> str:
    """The tables of docs/performance.md."""
    header = ("rival", "events/CPU-s", "CPU-s a batch", "of it compilers", "jobs a batch", "bytes written/event")
    parts = [
        f"{name}\n{_table((header, *(_cells(series) for series in group.values())))}" for name, group in groups.items()
    ]
    verdicts = _table((("target", "what", "measured", "wanted", "verdict"), *(finding.row() for finding in findings)))
    return "\n\n".join((*parts, verdicts))


def _series(series: Series) -> dict[str, Any]:
    return {
        "events_per_cpu_second": round(series.events_per_cpu_second),
        "jobs_per_batch": series.jobs_per_batch,
        "bytes_per_event": round(series.bytes_per_event, 1),
        "bytes_written": series.bytes_written,
        "rounds": [vars(cost) for cost in series.rounds],
    }


def _cells(series: Series) -> tuple[str, ...]:
    return (
        series.name,
        f"{series.events_per_cpu_second:,.0f}",
        f"{series.cpu_seconds / series.batches:.2f}",
        f"{series.compiler_seconds / series.batches:.2f}",
        f"{series.jobs_per_batch:g}",
        f"{series.bytes_per_event:.0f}",
    )


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(f"| {line} |" for line in (lines[0], " | ".join("-" * width for width in widths), *lines[1:]))


def _git(checkout: Path, *arguments: str) -> str:
    found = subprocess.run(("git", *arguments), cwd=checkout, capture_output=True, text=True, check=False)
    return found.stdout.strip()


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.processor())
