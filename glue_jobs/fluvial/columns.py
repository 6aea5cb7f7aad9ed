"""Every system column name of the log, the history and the side tables, once.

Business columns may not start with an underscore, so no name here can clash with one.
"""

from typing import Final

# Position and identity of a change event: in the log and the quarantine; the first four also in the history.
SEQUENCE: Final = "_sequence"
OPERATION: Final = "_operation"
INGESTED_AT: Final = "_ingested_at"
UNRESOLVED: Final = "_unresolved_columns"
COMMIT_TIME: Final = "_commit_time"
SOURCE_POSITION: Final = "_source_position"
TOPIC: Final = "_topic"
PARTITION: Final = "_partition"
OFFSET: Final = "_offset"
PAYLOAD_HASH: Final = "_payload_hash"
NOT_AUTHORED: Final = "_not_authored_columns"
WARNINGS: Final = "_warnings"
IS_QUARANTINED: Final = "_is_quarantined"
QUERY_ID: Final = "_query_id"
BATCH_ID: Final = "_batch_id"

POSITION: Final = (OPERATION, SEQUENCE, COMMIT_TIME, SOURCE_POSITION, TOPIC, PARTITION, OFFSET)
"""What an event is and where it stands, in its source and in Kafka."""

PLACE: Final = (SEQUENCE, OPERATION, TOPIC, PARTITION, OFFSET)
"""Where an event was read: no two of a table share it, and a record that is read again has it again."""

DECIDING: Final = (SEQUENCE, OPERATION, COMMIT_TIME, IS_QUARANTINED, NOT_AUTHORED, PAYLOAD_HASH, INGESTED_AT)
"""Columns of the log from which, with the table's own, the versions of a history follow."""

# History only: one row is one version.
EFFECTIVE_FROM: Final = "_effective_from"
EFFECTIVE_TO: Final = "_effective_to"
IS_CURRENT: Final = "_is_current"
END_SEQUENCE: Final = "_end_sequence"
UNCERTAIN_SINCE: Final = "_uncertain_since"

# Quarantine only.
VIOLATIONS: Final = "_violations"
FAILED_RULES: Final = "_failed_rules"
QUARANTINED_AT: Final = "_quarantined_at"
AFTER_IMAGE: Final = "_after_image"

# Operations.
INSERT: Final = "INSERT"
UPDATE: Final = "UPDATE"
DELETE: Final = "DELETE"
READ: Final = "READ"
TRUNCATE: Final = "TRUNCATE"
SNAPSHOT: Final = "SNAPSHOT"
"""Only in the log: a complete snapshot of the table stands at this sequence (a snapshot boundary)."""

KEYLESS: Final = (TRUNCATE, SNAPSHOT)
"""Rows of the log that have no key, because they concern every key."""
