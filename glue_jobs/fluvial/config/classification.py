"""Personal data: what a table marked `sensitive` has to say about it, and names that look like it elsewhere."""

import re
from collections.abc import Iterator
from typing import Final

from fluvial.config.codes import Code
from fluvial.config.findings import Finding, Path
from fluvial.config.model import Column, Table

_CLASSES: Final = "pii, quasi, private or public"
_PERSONAL: Final = re.compile(
    r"(^|_)(e_?mail|phone|mobile|fax|ssn|social_security\w*|passport\w*|iban|credit_card\w*|card_number|tax_id"
    r"|(first|last|middle|full|family|given|maiden|customer|patient|driver)_?name|surname|birth_?(date|day)"
    r"|date_of_birth|dob|street|home_address|postal_address|national_id|licen[cs]e_number|ip_address)(_|$)",
    re.IGNORECASE,
)


def looks_personal(name: str) -> bool:
    """Whether a column of that name usually tells who somebody is."""
    return _PERSONAL.search(name) is not None


def classification_findings(table: Table) -> Iterator[Finding]:
    """Errors in a sensitive table, warnings in any other."""
    find = _of_sensitive if table.sensitive else _of_other
    for position, column in enumerate(table.columns):
        if column.name not in table.masked_columns:
            yield from find(table, column, ("schema", position))


def _of_sensitive(table: Table, column: Column, path: Path) -> Iterator[Finding]:
    if column.classification is None:
        message = f"column '{column.name}' of sensitive table '{table.name}' is neither classified nor masked"
        hint = "add `classification: pii` and a masking transform, or say that it is quasi, private or public"
        yield Finding((*path, "name"), Code.UNCLASSIFIED_COLUMN, message, hint, f"one of {_CLASSES}", "nothing")
    elif column.classification == "pii":
        message = f"column '{column.name}' is pii, and sensitive table '{table.name}' doesn't mask it"
        hint = _key_hint(column) if column.name in table.primary_key else _mask_hint(column)
        yield Finding((*path, "classification"), Code.UNMASKED_PII, message, hint, "a masking transform", "none")


def _of_other(table: Table, column: Column, path: Path) -> Iterator[Finding]:
    if column.classification is None and looks_personal(column.name):
        message = f"column '{column.name}' looks like personal data, and is written as it is"
        hint = "mask it with a transform, or classify it: `classification: public` if it is none"
        yield Finding((*path, "name"), Code.LOOKS_PERSONAL, message, hint, f"a mask, or {_CLASSES}", "neither")


def _mask_hint(column: Column) -> str:
    return f"add `{{id: {column.name}_mask, type: mask_pii, column: {column.name}}}` to its transforms"


def _key_hint(column: Column) -> str:
    return f"'{column.name}' is a key, which no transform may change: let the source use a pseudonym as key"
