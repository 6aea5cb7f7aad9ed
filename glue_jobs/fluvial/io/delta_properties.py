"""Properties of a Delta table, changed by a commit of one action, without a JVM.

delta-rs has a call for it, but on a table that Spark made it also raises the reader version to 2, which other readers
then refuse. So the commit is written here: the table's own metadata with some properties more, as Delta's protocol has
it, under the next version's name, which only one writer can take.
Source: https://github.com/delta-io/delta/blob/master/PROTOCOL.md#change-metadata
"""

import json
import os
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from deltalake import DeltaTable

from fluvial.errors import StorageError

_OPERATION: Final = "SET TBLPROPERTIES"


def set_properties(table: DeltaTable, location: str, properties: Mapping[str, str], note: str, at: datetime) -> None:
    """Adds or replaces properties; raises StorageError where another writer was faster."""
    info = {
        "timestamp": int(at.timestamp() * 1000),
        "operation": _OPERATION,
        "operationParameters": {"properties": json.dumps(dict(properties))},
        "userMetadata": note,
        "engineInfo": "fluvial",
        "isBlindAppend": False,
        "readVersion": table.version(),
    }
    actions = ({"commitInfo": info}, {"metaData": _metadata(table, properties)})
    text = "".join(json.dumps(action, separators=(",", ":")) + "\n" for action in actions)
    _commit(Path(location) / "_delta_log" / f"{table.version() + 1:020}.json", text)


def _metadata(table: DeltaTable, properties: Mapping[str, str]) -> dict[str, Any]:
    known = table.metadata()
    named: dict[str, str | None] = {"name": known.name, "description": known.description}
    return {
        "id": str(known.id),
        **{name: value for name, value in named.items() if value is not None},
        "format": {"provider": "parquet", "options": {}},
        "schemaString": table.schema().to_json(),
        "partitionColumns": list(known.partition_columns),
        "configuration": {**known.configuration, **properties},
        "createdTime": known.created_time,
    }


def _commit(path: Path, text: str) -> None:
    """A link is made whole or not at all, and never over a file that is there."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".tmp.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).chmod(0o644)
        os.link(temporary, path)
    except FileExistsError as error:
        raise StorageError(f"{path.parent.parent}: another writer was faster", "stop it, then apply again") from error
    except OSError as error:
        raise StorageError(f"{path.parent.parent}: can't write: {error.strerror}", "see who owns the lake") from error
    finally:
        Path(temporary).unlink(missing_ok=True)
