"""A configuration as one canonical document: two that mean the same are the same text, whatever their spelling."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from fluvial.config.model import Table, UseCase

Document = dict[str, Any]
"""Plain JSON values; what equals its default is left out."""

MASKED: Final = "masked_columns"
"""Beside what is configured: which columns are hidden, because the document has to tell it without the models."""


def table_document(table: Table) -> Document:
    """One table; the place in the file, comments and defaults that are spelled out don't count."""
    document: Document = table.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return document | ({MASKED: sorted(table.masked_columns)} if table.masked_columns else {})


def use_case_document(use_case: UseCase) -> Document:
    """The whole use case; tables by name, since their order means nothing."""
    document: Document = use_case.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude={"tables"})
    return document | {"tables": {table.name: table_document(table) for table in use_case.tables}}


def canonical(document: Mapping[str, Any]) -> str:
    """The document as text: keys sorted, no spaces."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def fingerprint(document: Mapping[str, Any]) -> str:
    """Names a document: 16 hexadecimal digits of its hash."""
    return hashlib.sha256(canonical(document).encode()).hexdigest()[:16]


def restore_use_case(document: Mapping[str, Any], model: type[UseCase] = UseCase) -> UseCase | None:
    """The models again, own rules and transforms as `model` knows them; None where they can't be read any more."""
    tables = [{name: value for name, value in table.items() if name != MASKED} for table in document["tables"].values()]
    try:
        return model.model_validate({**document, "tables": tables})
    except ValueError:
        return None
