"""The one JSON schema that reads both envelopes: a field that an envelope lacks costs nothing.

Row images are maps of raw text, because only a map tells an absent column from a NULL one; values are typed later.
What is a number in both envelopes is one here: Spark reads a number as text ten times slower.
"""

from typing import Final

CORRUPT: Final = "_corrupt"
ENVELOPE_SCHEMA: Final = f"""
    op string,
    fluvial_epoch string,
    before map<string, string>,
    after map<string, string>,
    source struct<lsn: bigint, sequence: string, ts_us: bigint, ts_ms: bigint, snapshot: string, txId: bigint>,
    data map<string, string>,
    `before-image` map<string, string>,
    metadata struct<
        timestamp: string,
        `record-type`: string,
        operation: string,
        `transaction-record-id`: bigint,
        `commit-timestamp`: string,
        `stream-position`: string
    >,
    payload string,
    {CORRUPT} string
"""
