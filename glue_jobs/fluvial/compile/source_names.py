"""Names Fluvial gives to what it creates in the source database, derived from the use case alone."""

import re
from typing import Final

from fluvial.config.model import UseCase
from fluvial.sql_text import quote

HEARTBEAT_TABLE: Final = "fluvial_heartbeat"
SIGNAL_TABLE: Final = "fluvial_signal"
CAPTURE_ROLE: Final = "cdc"
"""Server-wide, shared by all use cases of one server; its rights are granted per database."""
DMS_SCHEMA: Final = "fluvial_dms"
"""Holds the heartbeat table that AWS DMS makes."""
_LONGEST: Final = 63
"""PostgreSQL cuts longer identifiers silently."""


def slot_name(use_case: UseCase) -> str:
    """The replication slot: lower case letters, digits and underscores only, as PostgreSQL wants it."""
    return f"fluvial_{re.sub(r'[^a-z0-9_]', '_', use_case.name.lower())}"[:_LONGEST]


def publication_name(use_case: UseCase) -> str:
    """The publication the slot reads; the same name as the slot."""
    return slot_name(use_case)


def connector_name(use_case: UseCase) -> str:
    """The connector in Kafka Connect, and the prefix of its own topics."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", use_case.name)


def qualified(use_case: UseCase, table_name: str) -> str:
    """Schema and table, both quoted."""
    return f"{quote(use_case.source_database.schema_name)}.{quote(table_name)}"
