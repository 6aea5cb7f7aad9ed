"""The DMS envelope: `{data, before-image, metadata}`, read as Columns over the parsed struct.

Without `IncludeTransactionDetails` there is no source position, only the time the message was built: the sequence is
then that time and the Kafka offset, and the table's guarantee level is best effort.
Source: https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Target.Kafka.html
"""

from collections.abc import Collection, Mapping
from typing import Final

from pyspark.sql import Column
from pyspark.sql import functions as F

from fluvial.base64_text import base64_text
from fluvial.columns import DELETE, INSERT, READ, TRUNCATE, UPDATE
from fluvial.envelope.operations import operation_of
from fluvial.envelope.sequence import EPOCH_FIELD, HALF_DIGITS, epoch_digits, hex_digits, lsn_pair, sequence
from fluvial.envelope.values import read_time

_OPERATIONS: Final = {
    INSERT: ("insert", "create"),
    UPDATE: ("update",),
    DELETE: ("delete",),
    READ: ("load", "read"),
    TRUNCATE: ("truncate-table", "truncatetable", "truncate"),
}
_HEX: Final = "0x"
_LONGEST: Final = 2**31 - 1
_HALF: Final = r"\p{XDigit}{1,8}+"
_REST: Final = rf"\.\d++\.{_HALF}/{_HALF}$"
_STREAM_POSITION: Final = rf"^{_HALF}/{_HALF}{_REST}"
"""Possessive: what a part took it keeps, for the parts are told apart by what stands between them."""
_PADDED_POSITION: Final = rf"^[0-9A-F]{{8}}+/[0-9A-F]{{8}}+{_REST}"
"""As DMS writes it: the LSN is the first eight digits and those behind the slash, as they are."""


def is_dms(parsed: Column) -> Column:
    """Whether the record has this envelope."""
    return parsed["metadata"].isNotNull()


def is_control(parsed: Column) -> Column:
    """Told by `record-type`; a truncate counts as a change event whatever its record type."""
    is_control_record = F.lower(parsed["metadata"]["record-type"]) == "control"
    return is_control_record & ~F.coalesce(is_operation(parsed, TRUNCATE), F.lit(False))


def operation(parsed: Column) -> Column:
    """The operation, in both spellings that DMS uses and any case; null where it is unknown."""
    return operation_of(
        _operation_word(parsed), {word: known for known, words in _OPERATIONS.items() for word in words}
    )


def is_operation(parsed: Column, known: str) -> Column:
    """Whether it is that one; null where the record names none."""
    return _operation_word(parsed).isin(*_OPERATIONS[known])


def _operation_word(parsed: Column) -> Column:
    return F.lower(parsed["metadata"]["operation"])


def image(parsed: Column, row: Column) -> Column:
    """The row the event speaks of; a delete holds its key and nulls, a truncate has none, whatever it says."""
    return F.when(~is_operation(parsed, TRUNCATE), row)


def written_row(texts: Column, binary_columns: Collection[str], exact: Mapping[str, Column]) -> Column:
    """A row as texts of the values that it holds.

    Bytes, which DMS writes as 0x..., as base64; `exact` are numbers that lost digits on their way into a text.
    """
    if not binary_columns and not exact:
        return texts

    def written(name: Column, text: Column) -> Column:
        shown = _as_base64(name, text, binary_columns) if binary_columns else text
        for column, number in exact.items():
            shown = F.when((name == column) & text.isNotNull(), F.coalesce(number.cast("string"), text)).otherwise(
                shown
            )
        return shown

    return F.transform_values(texts, written)


def _as_base64(name: Column, text: Column, binary_columns: Collection[str]) -> Column:
    is_hex = name.isin(*binary_columns) & text.startswith(_HEX)
    written = base64_text(F.unhex(text.substr(len(_HEX) + 1, _LONGEST)))
    # What isn't hexadecimal mustn't pass for base64 either.
    return F.when(is_hex, F.coalesce(written, F.lit(_HEX))).otherwise(text)


def event_sequence(parsed: Column, offset: Column) -> Column:
    """Loaded rows first; then the log position and the record's number in its transaction; else time and offset."""
    is_load = F.coalesce(is_operation(parsed, READ), F.lit(False))
    logged = F.when(~is_load, _logged_position(parsed))
    position = F.coalesce(logged, _position_by_time(parsed, offset, is_load))
    return sequence(epoch_digits(parsed["data"][EPOCH_FIELD]), is_load, position)


def _logged_position(parsed: Column) -> Column:
    position, record = parsed["metadata"]["stream-position"], parsed["metadata"]["transaction-record-id"]
    padded = F.concat(position.substr(1, HALF_DIGITS), position.substr(HALF_DIGITS + 2, HALF_DIGITS))
    first = F.substring_index(position, ".", 1)
    any_lsn = lsn_pair(F.substring_index(first, "/", 1), F.substring_index(first, "/", -1))
    lsn = F.when(position.rlike(_PADDED_POSITION), padded).when(position.rlike(_STREAM_POSITION), any_lsn)
    return F.concat(lsn, F.lit("."), F.coalesce(hex_digits(record.cast("int")), F.lit("00000000")))


def _position_by_time(parsed: Column, offset: Column, is_load: Column) -> Column:
    """Of a loaded row, and of a change without details: its offset tells it from others of the same time."""
    digits = hex_digits(F.unix_micros(message_time(parsed)))
    place = F.when(is_load, F.lit("")).otherwise(F.concat(F.lit("."), F.lpad(F.hex(offset), 12, "0")))
    return F.when(is_load | parsed["metadata"]["stream-position"].isNull(), F.concat(digits, place))


def message_time(parsed: Column) -> Column:
    """When DMS built the message."""
    return read_time(parsed["metadata"]["timestamp"])


def commit_time(parsed: Column) -> Column:
    """Commit time where transaction details are on, else the time the message was built."""
    return F.coalesce(read_time(parsed["metadata"]["commit-timestamp"]), message_time(parsed))


def source_position(parsed: Column) -> Column:
    """Log position and record number as DMS wrote them, for people."""
    metadata = parsed["metadata"]
    record = F.coalesce(F.concat(F.lit(" record="), metadata["transaction-record-id"]), F.lit(""))
    return F.concat(metadata["stream-position"], record)
