"""The JVMs of Kafka and Kafka Connect: small, and quick to start."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from fluvial.local.artifacts import locked_jars
from fluvial.local.home import Home
from fluvial.local.java import find_java
from fluvial.local.state_files import write_state

OPTIONS: Final = (
    "-XX:+UseSerialGC",
    # The quick compiler only: a third less work at the start, when two cores are shared with Spark and Airflow.
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "-Xlog:cds*=off",
    "-Djava.awt.headless=true",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    # "Connection could not be established" twenty times a second, while Connect and its broker start together.
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.clients.NetworkClient=error",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
)


def java_command(home: Home, name: str, heap: str, *arguments: str) -> list[str]:
    """`java` with Kafka's class path, through an argument file in `run/`.

    A class-data archive halves the start. The JVM writes it when it first ends in order (`keep_archive`), and ignores
    one that another Java or other jars wrote.
    """
    java, class_path = find_java(), _class_path(home)
    sharing = _sharing(home, _archive_path(home, name, f"{java} {class_path}"))
    options = (f"-Xms{heap}", f"-Xmx{heap}", *OPTIONS, *sharing, "-cp", class_path)
    file = home.run / f"{name}.args"
    write_state(file, "".join(f"{_quote(option)}\n" for option in options))
    return [str(java), f"@{file}", *arguments]


def tool_command(home: Home, *arguments: str) -> list[str]:
    """`java` for one of Kafka's short-lived tools."""
    return [str(find_java()), *OPTIONS, "-cp", _class_path(home), *arguments]


def keep_archive(home: Home, name: str) -> None:
    """Let later starts use the class-data archive that a JVM has just written."""
    for fresh in _archives(home).glob(f"{name}-*.jsa.{_home_digest(home)}"):
        fresh.replace(fresh.with_suffix(""))


def render_properties(values: Mapping[str, object]) -> str:
    """A Java properties file, which is Latin-1 and knows the backslash."""
    return "".join(f"{key}={_escape(str(value))}\n" for key, value in values.items())


def _archives(home: Home) -> Path:
    return home.artifacts / "class-data"


def _archive_path(home: Home, name: str, made_from: str) -> Path:
    return _archives(home) / f"{name}-{hashlib.sha256(made_from.encode()).hexdigest()[:12]}.jsa"


def _class_path(home: Home) -> str:
    return ":".join(str(jar) for jar in locked_jars(home, "kafka"))


def _sharing(home: Home, archive: Path) -> tuple[str, ...]:
    if archive.exists():
        return (f"-XX:SharedArchiveFile={archive}",)
    try:
        archive.parent.mkdir(exist_ok=True)
    except OSError:
        return ()
    fresh = archive.with_suffix(f".jsa.{_home_digest(home)}")
    # Shared artifacts may be somebody else's.
    return (f"-XX:ArchiveClassesAtExit={fresh}",) if os.access(archive.parent, os.W_OK) else ()


def _home_digest(home: Home) -> str:
    return hashlib.sha256(os.fsencode(home.root)).hexdigest()[:12]


def _quote(option: str) -> str:
    escaped = option.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _escape(value: str) -> str:
    return "".join(_escape_character(character) for character in value)


def _escape_character(character: str) -> str:
    if character == "\\":
        return "\\\\"
    if character.isascii():
        return character
    units = character.encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
