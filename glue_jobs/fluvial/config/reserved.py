"""Table names that are Fluvial's own."""

from typing import Final

RESERVED_TABLES: Final = frozenset(
    {"dead_letters", "quarantine_replays", "dq_metrics", "batches", "fluvial_heartbeat", "fluvial_signal"}
)
RESERVED_ENDINGS: Final = ("__log", "__log_all", "__current", "__live", "__quarantine")


def is_reserved_table(name: str) -> bool:
    """Whether a table of that name would meet one of Fluvial's."""
    folded = name.lower()
    return folded in RESERVED_TABLES or folded.startswith("_") or folded.endswith(RESERVED_ENDINGS)
