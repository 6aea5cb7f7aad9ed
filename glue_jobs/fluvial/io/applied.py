"""The configuration that a lake was last written by: a document in its own file, and one in each Delta table.

The file tells of tables that are no longer configured; the tables' own properties go with the data wherever it goes.
A commit that changes no row writes them.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from fluvial.config.locations import Locations
from fluvial.config.model import Table, UseCase
from fluvial.errors import StorageError
from fluvial.io.delta_properties import set_properties
from fluvial.plan.configuration import Document, canonical, fingerprint, table_document, use_case_document

CONFIGURATION: Final = "fluvial.configuration"
FINGERPRINT: Final = "fluvial.fingerprint"
_NOTE: Final = "fluvial.configured"

Write = Callable[[Path, str], None]
"""Replaces a small file in one step."""


def read_applied(use_case: UseCase, lake: Path, file: Path) -> Document | None:
    """The applied document of the use case: from its file, else from its tables; None where nothing was applied."""
    if file.is_file():
        return _parse(file.read_text(encoding="utf-8"), str(file))
    locations = Locations(use_case, lake)
    found = {table.name: read_table_document(locations.table(table).log) for table in use_case.tables}
    tables = {name: document for name, document in found.items() if document is not None}
    return {**use_case_document(use_case), "tables": tables} if tables else None


def read_table_document(location: str) -> Document | None:
    """What a log or a history says of the configuration that it was written by."""
    table = _open(location)
    text = table.metadata().configuration.get(CONFIGURATION) if table is not None else None
    return _parse(text, location) if text else None


def note_tables(use_case: UseCase, lake: Path) -> tuple[str, ...]:
    """Notes the configuration in every table that exists; those that said otherwise.

    While a stream writes, its micro-batch would have to be tried again: stop it first.
    """
    return tuple(table.name for table in use_case.tables if _note_table(use_case, table, lake))


def write_document(use_case: UseCase, file: Path, write: Write) -> None:
    """Keeps the whole configuration, tables that have no row yet included."""
    write(file, json.dumps(use_case_document(use_case), indent=2, ensure_ascii=False) + "\n")


def _note_table(use_case: UseCase, table: Table, lake: Path) -> bool:
    places, document = Locations(use_case, lake).table(table), table_document(table)
    changed = [_note(place, document) for place in (places.log, places.history)]
    return any(changed)


def _note(location: str, document: Mapping[str, object]) -> bool:
    """Whether the table's note was another one; a table without a first row is left for a later run."""
    table, name = _open(location), fingerprint(document)
    if table is None or table.metadata().configuration.get(FINGERPRINT) == name:
        return False
    properties = {CONFIGURATION: canonical(document), FINGERPRINT: name}
    set_properties(table, location, properties, f"{_NOTE}={name}", datetime.now(UTC))
    return True


def _open(location: str) -> DeltaTable | None:
    if not (Path(location) / "_delta_log").is_dir():
        return None
    try:
        return DeltaTable(location)
    except TableNotFoundError:
        return None
    except DeltaError as error:
        raise StorageError(f"{location}: {error}", "the table's own log is damaged") from error


def _parse(text: str, place: str) -> Document:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise StorageError(f"{place}: the applied configuration is unreadable", "delete it and apply again") from error
    if not isinstance(found, dict):
        raise StorageError(f"{place}: the applied configuration is no object", "delete it and apply again")
    return found
