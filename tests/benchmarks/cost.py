"""What a piece of work cost: CPU-seconds of the whole process tree, Spark jobs, bytes written.

The tree is this Python process and the driver's JVM with all its threads (tasks, collector, compilers), and the short
commands that Hadoop runs on a local disk. Wall-clock time is kept for orientation; on a shared machine it says little.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import psutil
from pyspark.sql import SparkSession


@dataclass(frozen=True)
class Cost:
    """Of one run of one rival."""

    cpu_seconds: float
    wall_seconds: float
    jobs: int
    bytes_written: int
    compiler_seconds: float = 0.0
    """Of the CPU-seconds, the JVM's compilers': the warm-up is long enough when they have little left to do."""
    call_sites: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Meter:
    """Measures in one session; the garbage of earlier work is collected before the clock starts."""

    session: SparkSession

    def measure(self, work: Callable[[], object], folder: Path) -> Cost:
        """Runs the work once; bytes are those of files below `folder` that were not there before."""
        self._context().listenerBus().waitUntilEmpty()
        self.session._jvm.System.gc()
        before, first_job = file_sizes(folder), self.jobs_so_far()
        compilers, cpu, wall = compiler_seconds(), tree_cpu_seconds(), perf_counter()
        work()
        cpu, compilers, wall = tree_cpu_seconds() - cpu, compiler_seconds() - compilers, perf_counter() - wall
        written = sum(size for path, size in file_sizes(folder).items() if path not in before)
        sites = Counter(self.call_sites(first_job))
        return Cost(cpu, wall, self.jobs_so_far() - first_job, written, compilers, sites)

    def jobs_so_far(self) -> int:
        """Every job that this driver has started, whoever asked for it."""
        return int(self._context().dagScheduler().numTotalJobs())

    def call_sites(self, first_job: int) -> Iterator[str]:
        """What each job from `first_job` on says of itself."""
        self._context().listenerBus().waitUntilEmpty()
        jobs = self._context().statusStore().jobsList(None)
        for number in range(jobs.size()):
            job = jobs.apply(number)
            if job.jobId() >= first_job:
                said = job.description().getOrElse(None) if job.description().isDefined() else ""
                yield f"{job.name()} | {said}" if said else str(job.name())

    def _context(self) -> Any:
        return self.session.sparkContext._jsc.sc()


def tree_cpu_seconds() -> float:
    """User and system time of this process and its children, those that have ended included where the system tells."""
    me = psutil.Process()
    return sum(sum(_cpu_times(process)) for process in (me, *me.children(recursive=True)))


def _cpu_times(process: psutil.Process) -> Iterator[float]:
    times = process.cpu_times()
    yield from (times.user, times.system)
    yield from (getattr(times, name, 0.0) for name in ("children_user", "children_system"))


def compiler_seconds() -> float:
    """Of the JVM's compiler threads, which keep their names; 0 where there is no /proc."""
    children = (process.pid for process in psutil.Process().children(recursive=True))
    threads = (thread for pid in children for thread in Path(f"/proc/{pid}/task").glob("*"))
    return sum(_thread_seconds(thread) for thread in threads)


def _thread_seconds(thread: Path) -> float:
    try:
        name, _, rest = (thread / "stat").read_text().partition("(")[2].rpartition(")")
    except OSError:  # it has ended meanwhile
        return 0.0
    user, system = rest.split()[11:13]
    is_compiler = name.startswith(("C1 Compiler", "C2 Compiler"))
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK") if is_compiler else 0.0


def file_sizes(folder: Path) -> dict[Path, int]:
    """Every file that counts; the local file system's checksum files don't, because S3 has none."""
    return {path: path.stat().st_size for path in folder.rglob("*") if path.is_file() and path.suffix != ".crc"}
