"""Run the Ivy that pyspark bundles: it needs nothing but Java, and knows how to resume."""

import importlib.util
import os
import re
import time
from collections.abc import Callable, Sequence
from importlib.resources import as_file
from pathlib import Path
from typing import Final

from fluvial.errors import ArtifactError, StackError
from fluvial.local.home import Home
from fluvial.local.java import find_java
from fluvial.local.lock import Lock, lock_data
from fluvial.local.process import is_running, log_path, start_process, stop_process
from fluvial.local.progress import Progress
from fluvial.local.state_files import disk_full

NAME: Final = "ivy"
MAVEN_ROOT: Final = "FLUVIAL_MAVEN_ROOT"
POLL_SECONDS: Final = 0.2
REASON_LINES: Final = 3


def retrieve(files: Lock, into: Path, work: Home, progress: Progress) -> None:
    """Fetch `files` to `into/<group>/<name>`; what arrived stays in `work`, so the next try carries on."""
    groups = sorted({file.group for file in files})
    cache = work.data
    cache.mkdir(parents=True, exist_ok=True)
    with as_file(lock_data("ivy.xml")) as ivy, as_file(lock_data("ivysettings.xml")) as settings:
        command = [*_ivy_command(), "-settings", settings, "-ivy", ivy, "-cache", cache, "-confs", *groups, "-warn"]
        pattern = into / "[conf]" / "[artifact]-[revision](-[classifier]).[ext]"
        _run([*command, "-retrieve", pattern], work, lambda: _report(cache, len(files), progress))
    if not all((into / file.group / file.name).exists() for file in files):
        raise _failure(work)


def _ivy_command() -> list[str | Path]:
    root = os.environ.get(MAVEN_ROOT)
    options = [f"-Dfluvial.maven.root={root.rstrip('/')}/"] if root else []
    return [find_java(), "-Xmx256m", *options, "-jar", _ivy_jar()]


def _ivy_jar() -> Path:
    package = importlib.util.find_spec("pyspark")
    places = package.submodule_search_locations if package else None
    for place in places or ():
        for jar in sorted(Path(place).glob("jars/ivy-*.jar")):
            return jar
    raise ArtifactError("pyspark, which brings Ivy, is not installed", "run `make setup`, or pip install pyspark")


def _run(command: Sequence[str | Path], work: Home, report: Callable[[], None]) -> None:
    stop_process(work, NAME, timeout_seconds=0)  # one that outlived the fluvial that started it
    log_path(work, NAME).unlink(missing_ok=True)
    process = start_process(work, NAME, [str(word) for word in command])
    try:
        while is_running(process):
            report()
            time.sleep(POLL_SECONDS)
    finally:
        stop_process(work, NAME, timeout_seconds=0)


def _report(cache: Path, total: int, progress: Progress) -> None:
    fetched = sum(1 for path in cache.glob("*/*/*/*") if path.suffix in (".jar", ".gz"))
    if fetched:
        progress("fetching jars and PostgreSQL", min(fetched, total), total)
    else:
        progress("looking up jars", min(sum(1 for _ in cache.glob("*/*/ivydata-*.properties")), total), total)


def _failure(work: Home) -> StackError:
    text = log_path(work, NAME).read_text(errors="replace")
    if "No space left" in text:
        return disk_full(work.root, "1.5 GiB of")
    missing = sorted(set(re.findall(r":: ([\w.\-]+#[\w.\-]+;[\w.\-]+): not found", text)))
    what = f"{len(missing)} artifacts ({missing[0]}, ...)" if missing else "the artifacts of the lock"
    return ArtifactError(
        f"{what} can't be fetched from {os.environ.get(MAVEN_ROOT, 'Maven Central')}",
        "check the network (a proxy goes into JAVA_TOOL_OPTIONS=-Dhttps.proxyHost=HOST -Dhttps.proxyPort=PORT, "
        f"a company mirror into {MAVEN_ROOT}) and run it again; what was fetched is kept",
        part="artifacts",
        log_path=log_path(work, NAME),
        log_tail=_reasons(text),
    )


def _reasons(text: str) -> str:
    """The first lines that say why; Ivy says it again for each artifact."""
    said = [line.strip() for line in text.splitlines() if re.search(r"Server access error|^\s*Host |ERROR", line)]
    return "\n".join(said[:REASON_LINES]) or text[-1000:]
