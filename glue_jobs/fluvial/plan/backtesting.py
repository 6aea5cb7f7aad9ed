"""Which rules a back-test tries, and how far its answer can be trusted; pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from fluvial.config.model import Table
from fluvial.plan.configuration import Document, table_document

KEEPS_NULLS: Final = frozenset({"trim", "lower", "upper", "round", "mask_pii"})
"""What these transforms make of a value is null exactly where the value was."""


class Precision(StrEnum):
    """What a back-test of a rule is worth."""

    EXACT = "exact"
    APPROXIMATE = "approximate"
    IMPOSSIBLE = "impossible"


@dataclass(frozen=True)
class Trial:
    """A rule to try, with the reason where the answer isn't exact."""

    rule_id: str
    precision: Precision
    reason: str = ""


def edited_rules(table: Table, applied: Document | None) -> tuple[str, ...]:
    """Ids of the rules that are new, or that aren't what was applied."""
    known = {rule["id"]: rule for rule in (applied or {}).get("dq_rules", ())}
    wanted = table_document(table).get("dq_rules", ())
    return tuple(str(rule["id"]) for rule in wanted if known.get(rule["id"]) != rule)


def plan_trials(table: Table, rule_ids: tuple[str, ...], applied: Document | None) -> tuple[Trial, ...]:
    """What trying these rules on the log is worth: the log has values as they were after the transforms."""
    return tuple(_trial(table, rule_id, applied) for rule_id in rule_ids)


def _trial(table: Table, rule_id: str, applied: Document | None) -> Trial:
    trial = _trial_of_kept(table, rule_id, applied)
    if trial.precision is Precision.EXACT and _filters(table, applied):
        reason = "events whose row the filter doesn't keep stand in the log without their values"
        return Trial(rule_id, Precision.APPROXIMATE, reason)
    return trial


def _filters(table: Table, applied: Document | None) -> bool:
    was = any(item["type"] == "filter" for item in (applied or {}).get("transforms", ()))
    return was or any(item.type == "filter" for item in table.transforms)


def _trial_of_kept(table: Table, rule_id: str, applied: Document | None) -> Trial:
    rule = next(rule for rule in table.dq_rules if rule.id == rule_id)
    if rule.looks_at_batch:
        reason = "compares the rows of one micro-batch, and which events shared one is chance"
        return Trial(rule_id, Precision.IMPOSSIBLE, reason)
    found = table.lake_shape.get(rule.column)
    if found is None or found.sources != {rule.column} or found.type != table.column(rule.column).type:
        reason = f"the log doesn't hold {rule.column} in the source's name and type"
        return Trial(rule_id, Precision.IMPOSSIBLE, reason)
    kinds = _transforms(table, rule.column, applied)
    if not kinds or (rule.type == "not_null" and kinds <= KEEPS_NULLS):
        return Trial(rule_id, Precision.EXACT)
    if rule.column in _masked(table, applied):
        reason = f"{rule.column} is masked: its raw values were never stored"
        return Trial(rule_id, Precision.IMPOSSIBLE, reason)
    reason = f"valid events are judged by {rule.column} as it was after {', '.join(sorted(kinds))}"
    return Trial(rule_id, Precision.APPROXIMATE, reason)


def _transforms(table: Table, column: str, applied: Document | None) -> set[str]:
    """Types of the transforms of a column: those of the log's rows, and those that are wanted now."""
    before = {item["type"] for item in (applied or {}).get("transforms", ()) if item.get("column") == column}
    return before | {item.type for item in table.transforms if item.column == column}


def _masked(table: Table, applied: Document | None) -> set[str]:
    return {*table.masked_columns, *(applied or {}).get("masked_columns", ())}
