"""How far a table's history can be trusted, computed from its configuration alone, with the reason and the fix."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from fluvial.config.model import Table, UseCase
from fluvial.config.settings import SourceDatabase

_UNBOUNDED: Final = frozenset({"string", "binary"})
"""Types whose long values PostgreSQL stores apart (TOAST) and leaves out of an update that doesn't touch them."""


class Level(StrEnum):
    """From strong to weak."""

    EXACT = "exact"
    """Every version of every row is the source's, and so is what concerns all rows at once."""

    EXACT_PER_KEY = "exact per key"
    """Every row's own changes are; what removes many rows at once may be missing."""

    BEST_EFFORT = "best effort"
    """Order or values of a row's versions may be wrong."""


@dataclass(frozen=True)
class Guarantee:
    """The level of one table; each reason that lowers it has the fix at the same index."""

    level: Level
    reasons: tuple[str, ...] = ()
    fixes: tuple[str, ...] = ()


def guarantee(table: Table, use_case: UseCase) -> Guarantee:
    """The weakest level that something in the configuration leads to."""
    source = use_case.source_database
    found = [*_of_source(source), *_of_columns(table, source), *_of_rules(table)]
    levels = list(Level)
    level = max((level for level, _, _ in found), key=levels.index, default=Level.EXACT)
    return Guarantee(level, tuple(reason for _, reason, _ in found), tuple(fix for _, _, fix in found))


def describe(use_case: UseCase) -> list[str]:
    """Lines for people: one if every table is exact, else one for each table and each reason."""
    found = {table.name: guarantee(table, use_case) for table in use_case.tables}
    if all(each.level is Level.EXACT for each in found.values()):
        return [f"{use_case.name}: every table exact"]
    return [line for name, each in found.items() for line in _lines(f"{use_case.name}.{name}", each)]


def as_words(use_case: UseCase) -> list[dict[str, Any]]:
    """The same for machines: an object for each table, exact ones too."""
    return [
        {"use_case": use_case.name, "table": table.name, **asdict(guarantee(table, use_case))}
        for table in use_case.tables
    ]


def _lines(name: str, found: Guarantee) -> Iterator[str]:
    yield f"{name}: {found.level.value}"
    for reason, fix in zip(found.reasons, found.fixes, strict=True):
        yield f"  {reason} -> {fix}"


def _of_source(source: SourceDatabase) -> Iterator[tuple[Level, str, str]]:
    if not source.captures_truncates:
        yield (
            Level.EXACT_PER_KEY,
            "the capture drops TRUNCATE, so rows that one removed stay current",
            "let it send them (Debezium: `skipped.operations: none`), and remove `captures_truncates: false`",
        )
    if source.capture == "dms":
        yield from _of_dms(source)


def _of_dms(source: SourceDatabase) -> Iterator[tuple[Level, str, str]]:
    yield (
        Level.EXACT_PER_KEY,
        "DMS marks no end of a full load, so rows that were deleted between two loads stay current",
        "compare with `fluvial verify --source` after a reload, or capture with Debezium",
    )
    if not source.include_transaction_details:
        yield (
            Level.BEST_EFFORT,
            "records of DMS without transaction details have no log position, so changes of one moment may swap",
            "set `IncludeTransactionDetails` of the Kafka endpoint, and remove `include_transaction_details: false`",
        )
    if not source.before_image:
        yield (
            Level.BEST_EFFORT,
            "an update of DMS without a before-image hides that it changed the key, so the old row stays current",
            "set `BeforeImageSettings` of the task, and remove `before_image: false`",
        )


def _of_columns(table: Table, source: SourceDatabase) -> Iterator[tuple[Level, str, str]]:
    long = [column.name for column in table.columns if column.type in _UNBOUNDED and column.name in table.value_columns]
    if table.replica_identity == "default" and long:
        yield (
            Level.BEST_EFFORT,
            f"an update leaves out long values that it doesn't touch ({', '.join(long)}); "
            "where nothing before tells them they stay unresolved",
            f"alter table {source.schema_name}.{table.name} replica identity full, "
            "and remove `replica_identity: default`",
        )


def _of_rules(table: Table) -> Iterator[tuple[Level, str, str]]:
    by_batch = [rule.id for rule in table.dq_rules if rule.looks_at_batch and rule.severity == "error"]
    if by_batch:
        yield (
            Level.BEST_EFFORT,
            f"what is quarantined depends on which events share a micro-batch ({', '.join(by_batch)})",
            "give the rule `severity: warning`",
        )
