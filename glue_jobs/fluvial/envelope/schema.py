"""The one JSON schema that reads both envelopes: a field that an envelope lacks costs nothing.

Row images are maps of raw text, because only a map tells an absent column from a NULL one; values are typed later.
What is a number in both envelopes is one here: Spark reads a number as text ten times slower.
"""

import re
from typing import Final

from fluvial.config.model import Table
from fluvial.config.types import EXACT_DIGITS, MAX_PRECISION, decimal_size

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


def exact_schema(table: Table) -> str:
    """Reads the numbers of DMS images that a double can't hold: wide decimals.

    All digits that aren't needed before the point are kept behind it, so that too many are found, not rounded.
    """
    fields = ", ".join(
        f"`{name}`: decimal({MAX_PRECISION},{MAX_PRECISION - precision + scale})"
        for name, (precision, scale) in wide_decimals(table).items()
    )
    return f"data struct<{fields}>, `before-image` struct<{fields}>"


def long_number(table: Table) -> str:
    """Matches JSON text in which a wide decimal may be a number that a double can't hold, as Java's regex.

    Texts, which the tasks that Fluvial compiles make of decimals, and short numbers survive; so do whole ones. A name
    may be written with escapes.
    """
    names = "|".join(map(re.escape, wide_decimals(table)))
    return rf'"(?:{names})"\s*:\s*-?(?:[\d.]{{{EXACT_DIGITS + 2},}}|[\d.]+[eE])|\\u'


def wide_decimals(table: Table) -> dict[str, tuple[int, int]]:
    """The columns that `exact_schema` reads, with their precision and scale."""
    sizes = {column.name: decimal_size(column.type) for column in table.columns if column.type.startswith("decimal")}
    return {name: size for name, size in sizes.items() if size[0] > EXACT_DIGITS}
