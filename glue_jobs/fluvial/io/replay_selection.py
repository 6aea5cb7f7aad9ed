"""Which quarantined events a replay is asked for, and that they are there: a mistyped one must not pass in silence."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fluvial import columns as c
from fluvial.config.model import Table
from fluvial.errors import FluvialError, RepairsFileError
from fluvial.io.repairs_file import Repair

_SHOW: Final = "`fluvial quarantine show` lists keys, sequences and rules"


@dataclass(frozen=True)
class Selection:
    """Which events of a table's quarantine to replay: all of them unless something is given.

    With `repairs`, only events that one of them answers to.
    """

    rule: str | None = None
    sequences: tuple[str, ...] = ()
    repairs: tuple[Repair, ...] = ()

    def __str__(self) -> str:
        by_rule = f" for rule {self.rule}" if self.rule else ""
        return by_rule + (" among the --events" if self.sequences else "")


def is_chosen(selection: Selection) -> Column:
    """Of a quarantine's rows: whether rule and sequence are the selected ones."""
    by_rule = F.array_contains(c.FAILED_RULES, selection.rule) if selection.rule else F.lit(True)
    by_place = F.col(c.SEQUENCE).isin(*selection.sequences) if selection.sequences else F.lit(True)
    return by_rule & by_place


def require_known(selection: Selection, quarantine: DataFrame, table: Table) -> None:
    """Raises FluvialError for a sequence that no event has, and for a rule that neither table nor event knows."""
    if selection.sequences:
        named = quarantine.where(F.col(c.SEQUENCE).isin(*selection.sequences)).select(c.SEQUENCE).distinct()
        _require_sequences(selection, {row[0] for row in named.collect()}, table)
    rule = selection.rule
    if rule and rule not in _rules(table) and quarantine.where(F.array_contains(c.FAILED_RULES, rule)).isEmpty():
        raise _unknown_rule(rule, table)


def require_none(selection: Selection, table: Table) -> None:
    """The same where nothing is in quarantine."""
    _require_sequences(selection, set(), table)
    if selection.rule and selection.rule not in _rules(table):
        raise _unknown_rule(selection.rule, table)
    require_all(selection.repairs, selection, table)


def require_all(strangers: Sequence[Repair], selection: Selection, table: Table) -> None:
    """Raises RepairsFileError for the first of the repairs that answer to no selected event."""
    if not strangers:
        return
    first, more = strangers[0], f" and {len(strangers) - 1} more" if len(strangers) > 1 else ""
    key = ", ".join(f"{name}={text}" for name, text in first.key.items())
    event = f"no event of {table.name} with {key} at sequence {first.sequence}"
    message = f"line {first.line}{more}: {event} is in quarantine{selection}"
    raise RepairsFileError(message, _SHOW, line=first.line)


def _require_sequences(selection: Selection, found: set[str], table: Table) -> None:
    if missing := [sequence for sequence in selection.sequences if sequence not in found]:
        raise FluvialError(f"no event of {table.name} at sequence {', '.join(missing)} is in quarantine", _SHOW)


def _unknown_rule(rule: str, table: Table) -> FluvialError:
    return FluvialError(f"{table.name} has no rule {rule}, and no event in quarantine failed one of that id", _SHOW)


def _rules(table: Table) -> set[str]:
    return {rule.id for rule in table.dq_rules}
