"""Everything Fluvial raises on purpose.

FluvialError                    attributes: message, hint
├── ConfigError                 a tables.yaml or scenario.yaml is wrong; .problems holds every one
├── VersionMismatchError        Spark, Delta, Deequ or Kafka differ from the pinned AWS Glue version
├── StackError                  a part of the local profile; .part, .log_path, .log_tail
│   ├── PortTakenError          an explicitly asked-for port is in use
│   ├── JavaNotFoundError       no Java 17 or 21
│   ├── ArtifactError           a jar or binary can't be fetched, or its checksum differs
│   ├── DiskFullError           no room left under FLUVIAL_HOME
│   └── StackBusyError          another fluvial process holds this FLUVIAL_HOME
├── SourceError                 the source database refuses, or lacks a table
├── EventsFileError             a recorded-events file can't be read; .line
├── RepairsFileError            a file of repaired values can't be used; .line
├── PlanError                   a change plan is refused, or stale
├── SecretError                 a secret that the configuration refers to isn't there, or is too short
├── StorageError                a table of the lake is missing, foreign or can't be written
│   └── CircuitOpenError        so much of a table's micro-batch is bad that none of it is written
└── QueryError                  SQL that can't run; the engine's message is in .message
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


class FluvialError(Exception):
    """Base of all: a message that says where and what, and a hint that says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  -> {self.hint}" if self.hint else self.message


@dataclass(frozen=True)
class Problem:
    """One thing wrong in a configuration file; line and column count from 1, 0 where unknown.

    `source` is the text of the line, `length` the number of its characters that are meant.
    """

    file: str
    line: int
    column: int
    code: str
    message: str
    hint: str = ""
    expected: str = ""
    found: str = ""
    source: str = ""
    length: int = 1

    @property
    def is_warning(self) -> bool:
        """Whether the file can be used all the same."""
        return self.code.startswith("W")

    @property
    def place(self) -> str:
        """`file:line:column`, as editors and terminals open it."""
        return ":".join([self.file, *(str(number) for number in (self.line, self.column) if number)])

    def __str__(self) -> str:
        return f"{self.place} {self.code} {self.message}" + (f"\n  -> {self.hint}" if self.hint else "")


class ConfigError(FluvialError):
    """A configuration file is wrong; every problem at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class VersionMismatchError(FluvialError):
    """A library in the running Spark isn't the one this release was proven with."""


class StackError(FluvialError):
    """A part of the local profile failed; the last lines of its log come with it."""

    def __init__(
        self, message: str, hint: str = "", *, part: str = "", log_path: Path | None = None, log_tail: str = ""
    ) -> None:
        super().__init__(message, hint)
        self.part = part
        self.log_path = log_path
        self.log_tail = log_tail

    def __str__(self) -> str:
        tail = f"\n  last lines of {self.log_path}:\n{self.log_tail}" if self.log_tail else ""
        return super().__str__() + tail


class PortTakenError(StackError):
    """A port that was asked for by name is in use."""


class JavaNotFoundError(StackError):
    """No usable Java runtime."""


class ArtifactError(StackError):
    """A jar or binary is missing, can't be fetched, or its checksum differs."""


class DiskFullError(StackError):
    """The file system under FLUVIAL_HOME has too little room."""


class StackBusyError(StackError):
    """Another process is starting or stopping the stack of the same FLUVIAL_HOME."""


class SourceError(FluvialError):
    """The source database refuses a statement, or lacks a configured table."""


class EventsFileError(FluvialError):
    """A file of recorded events has a line that isn't a Kafka record."""

    def __init__(self, message: str, hint: str = "", *, line: int = 0) -> None:
        super().__init__(message, hint)
        self.line = line


class RepairsFileError(FluvialError):
    """A file of repaired values has a line that can't be used, or one that no quarantined event answers to."""

    def __init__(self, message: str, hint: str = "", *, line: int = 0) -> None:
        super().__init__(message, hint)
        self.line = line


class PlanError(FluvialError):
    """A change plan that can't be applied, or one that is no longer true."""


class SecretError(FluvialError):
    """A secret that the configuration refers to can't be had; its text is in no message."""


class StorageError(FluvialError):
    """A table of the lake is missing, was written by something else, or can't be written."""


class CircuitOpenError(StorageError):
    """So much of a table's micro-batch is bad that none of it is written."""


class QueryError(FluvialError):
    """A query can't run."""
