"""Which metrics of a micro-batch can still be told from log and quarantine, when what was measured is lost; pure."""

from typing import NamedTuple

from fluvial.config.model import DeequCheck, Table
from fluvial.plan.backtesting import KEEPS_NULLS


class Remeasurable(NamedTuple):
    """The checks that can be told, and why the others can't."""

    checks: tuple[DeequCheck, ...]
    reasons: tuple[str, ...]


def split_checks(table: Table) -> Remeasurable:
    """The log has values as they were after the transforms, and metrics are measured before them."""
    told = {check: _obstacle(check, table) for check in table.deequ_checks}
    reasons = (f"{check.metric} of {check.column} can't be told: {why}" for check, why in told.items() if why)
    return Remeasurable(tuple(check for check, why in told.items() if not why), tuple(reasons))


def _obstacle(check: DeequCheck, table: Table) -> str:
    if check.column is None:
        return ""
    found = table.lake_shape.get(check.column)
    if found is None or found.sources != {check.column}:
        return "the log doesn't hold it under the source's name"
    kinds = {transform.type for transform in table.transforms if transform.column == check.column}
    changing = {"completeness": kinds - KEEPS_NULLS, "uniqueness": kinds}.get(check.metric, set())
    return f"the log holds it as it was after {', '.join(sorted(changing))}" if changing else ""
