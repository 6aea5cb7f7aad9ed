import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, write_deltalake

from tests.benchmarks.accounts import accounts_use_case
from tests.benchmarks.delta_rs import DeltaRs
from tests.benchmarks.telemetry import only_table

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        *((name, pa.string()) for name in ("holder", "city", "status")),
        ("balance", pa.decimal128(12, 2)),
        ("rate", pa.float64()),
        ("opened_at", pa.timestamp("us", "UTC")),
        ("note", pa.string()),
        ("_effective_from", pa.timestamp("us", "UTC")),
        ("_effective_to", pa.timestamp("us", "UTC")),
        ("_is_current", pa.bool_()),
    ]
)


def version(key: int) -> dict[str, Any]:
    opened = {"_effective_from": FIRST, "_effective_to": None, "_is_current": True}
    return {"id": key, "balance": Decimal("1.00"), "rate": 0.5, "opened_at": FIRST} | opened


def event(operation: str, key: int, balance: str, seconds: int) -> bytes:
    row = {"id": key, "balance": balance, "rate": 0.5, "opened_at": "2026-01-01T00:00:00.000Z"}
    images = {"before": row, "after": None} if operation == "d" else {"before": None, "after": row}
    millis = int((FIRST + timedelta(seconds=seconds)).timestamp() * 1000)
    return json.dumps(images | {"op": operation, "ts_ms": millis}).encode()


def test_it_closes_what_changes_and_opens_the_latest_of_each_key(tmp_path: Path) -> None:
    lake, batch = str(tmp_path / "scd2"), tmp_path / "batch.parquet"
    write_deltalake(lake, pa.Table.from_pylist([version(1), version(2)], schema=SCHEMA))
    events = [event("u", 1, "5.00", 1), event("u", 1, "6.00", 2), event("c", 3, "7.00", 3), event("d", 2, "1.00", 4)]
    pq.write_table(pa.table({"value": pa.array(events, pa.binary())}), batch)
    DeltaRs(tmp_path, only_table(accounts_use_case())).merge([str(batch)])
    found = DeltaTable(lake).to_pyarrow_table().to_pylist()
    spans = {
        (row["id"], str(row["balance"]), (row["_effective_from"] - FIRST).seconds, row["_is_current"]) for row in found
    }
    assert spans == {(1, "1.00", 0, False), (1, "6.00", 2, True), (2, "1.00", 0, False), (3, "7.00", 3, True)}
    closed = {row["id"]: (row["_effective_to"] - FIRST).seconds for row in found if not row["_is_current"]}
    assert closed == {1: 2, 2: 4}
