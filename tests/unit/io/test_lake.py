from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake

from fluvial.errors import QueryError, StorageError
from fluvial.io.delta_files import read_snapshot
from fluvial.io.lake import open_lake
from fluvial.io.query import run_query
from tests.unit.io.lakes import HISTORY_SCHEMA, LOG_SCHEMA, at, places_of, use_case_of, write_rows

USE_CASE = use_case_of()


def ask(lake: Path, sql: str) -> list[dict[str, object]]:
    return run_query(open_lake(USE_CASE, lake, sql), sql).to_pylist()


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    places = places_of(USE_CASE, tmp_path, "vehicles")
    old = {"id": 1, "plate": "A", "price": Decimal("1.5000"), "_is_current": False, "_effective_from": at(1)}
    new = {"id": 1, "plate": "B", "price": Decimal("2.5000"), "_is_current": True, "_effective_from": at(2)}
    write_rows(places.history, [old, new], HISTORY_SCHEMA, partition_by=["_is_current"])
    kept = {"id": 1, "plate": "A", "_sequence": "0001.1.1", "_is_quarantined": False}
    gap = {"id": 1, "_sequence": "0001.1.2", "_is_quarantined": True}
    write_rows(places.log, [kept, gap], LOG_SCHEMA)
    return tmp_path


def test_the_history_shows_every_version(lake: Path) -> None:
    rows = ask(lake, "SELECT plate, _is_current, _effective_from FROM vehicles ORDER BY _effective_from")
    assert rows == [
        {"plate": "A", "_is_current": False, "_effective_from": at(1)},
        {"plate": "B", "_is_current": True, "_effective_from": at(2)},
    ]


def test_the_current_view_shows_open_versions_alone(lake: Path) -> None:
    assert ask(lake, "SELECT id, plate FROM vehicles__current") == [{"id": 1, "plate": "B"}]


def test_the_log_hides_gap_markers(lake: Path) -> None:
    assert ask(lake, "SELECT _sequence FROM vehicles__log") == [{"_sequence": "0001.1.1"}]


def test_log_all_shows_gap_markers_too(lake: Path) -> None:
    assert ask(lake, "SELECT count(*) AS n FROM vehicles__log_all") == [{"n": 2}]


def test_filters_on_time_reach_timestamps_in_utc(lake: Path) -> None:
    sql = "SELECT plate FROM vehicles WHERE _effective_from >= '2026-11-21 08:00:02'"
    assert ask(lake, sql) == [{"plate": "B"}]


def test_a_table_without_data_is_an_empty_view_with_its_columns(tmp_path: Path) -> None:
    sql = "SELECT column_name, column_type FROM (DESCRIBE vehicles__quarantine) LIMIT 5"
    assert [(row["column_name"], row["column_type"]) for row in ask(tmp_path, sql)] == [
        ("id", "INTEGER"),
        ("plate", "VARCHAR"),
        ("price", "DECIMAL(38,4)"),
        ("seen_at", "TIMESTAMP WITH TIME ZONE"),
        (
            "_violations",
            'STRUCT(rule_id VARCHAR, "column" VARCHAR, severity VARCHAR, message VARCHAR, rule_version VARCHAR)[]',
        ),
    ]


@pytest.mark.parametrize("table", ["dead_letters", "dq_metrics", "batches", "vehicles__log_all", "vehicles"])
def test_every_side_table_can_be_asked_before_the_first_batch(tmp_path: Path, table: str) -> None:
    assert ask(tmp_path, f"SELECT * FROM {table}") == []


def test_an_emptied_table_has_its_columns_and_no_row(lake: Path) -> None:
    DeltaTable(places_of(USE_CASE, lake, "vehicles").history).delete()
    assert ask(lake, "SELECT * FROM vehicles WHERE _is_current") == []


def test_a_column_added_later_is_null_in_older_files(lake: Path) -> None:
    history = places_of(USE_CASE, lake, "vehicles").history
    wider = pa.table({"id": pa.array([9], pa.int32()), "colour": ["red"], "_is_current": [True]})
    write_deltalake(history, wider, mode="append", schema_mode="merge")
    assert ask(lake, "SELECT id, colour FROM vehicles__current ORDER BY id") == [
        {"id": 1, "colour": None},
        {"id": 9, "colour": "red"},
    ]


def test_a_lake_under_a_path_with_spaces_and_accents_can_be_read(tmp_path: Path) -> None:
    lake = tmp_path / "mein Öl 'see'"
    history = places_of(USE_CASE, lake, "vehicles").history
    write_rows(history, [{"id": 1, "_is_current": True}], HISTORY_SCHEMA, partition_by=["_is_current"])
    assert ask(lake, "SELECT id FROM vehicles__current") == [{"id": 1}]


@pytest.mark.parametrize("year", [1883, 1969, 2026, 9999])
def test_spark_s_twelve_byte_timestamps_keep_their_microseconds(lake: Path, year: int) -> None:
    location = Path(places_of(USE_CASE, lake, "vehicles").history)
    moment = datetime(year, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    data = next((location / "_is_current=true").glob("*.parquet"))
    table = pq.read_table(data, partitioning=None)
    column = table.schema.get_field_index("seen_at")
    changed = table.set_column(column, "seen_at", pa.array([moment], pa.timestamp("us", "UTC")))
    pq.write_table(changed, data, use_deprecated_int96_timestamps=True)
    assert ask(lake, "SELECT seen_at FROM vehicles__current") == [{"seen_at": moment}]


def test_an_older_version_of_a_table_can_be_read(lake: Path) -> None:
    location = places_of(USE_CASE, lake, "vehicles").history
    DeltaTable(location).delete()
    older, newest = read_snapshot(location, version=0), read_snapshot(location)
    assert older is not None
    assert newest is not None
    assert (len(older.paths), len(newest.paths)) == (2, 0)


def test_a_version_that_never_was_is_a_storage_error(lake: Path) -> None:
    with pytest.raises(StorageError):
        read_snapshot(places_of(USE_CASE, lake, "vehicles").history, version=99)


def test_an_unknown_table_names_the_nearest_one_and_all(lake: Path) -> None:
    with pytest.raises(QueryError) as caught:
        ask(lake, "SELECT * FROM vehicels__current")
    assert caught.value.message == "unknown table vehicels__current"
    assert caught.value.hint.startswith("did you mean vehicles__current? tables: vehicles, vehicles__current,")


def test_a_syntax_error_comes_with_the_engines_message(lake: Path) -> None:
    with pytest.raises(QueryError, match='syntax error at or near "vehicles"'):
        ask(lake, "SELECT 1 FORM vehicles")


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO vehicles VALUES (1)",
        "CREATE TABLE stolen AS SELECT 1",
        "COPY vehicles TO 'out.csv'",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO 'out.csv'",
        "EXPLAIN (ANALYZE) COPY (SELECT 1) TO 'out.csv'",
        "ATTACH 'other.db'",
        "INSTALL httpfs",
        "SET TimeZone = 'CET'",
        "PRAGMA version",
        "SELECT 1; SELECT 2",
        "",
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM '/etc/hostname.csv'",
    ],
)
def test_a_query_can_only_read_the_lake(lake: Path, sql: str) -> None:
    with pytest.raises(QueryError):
        ask(lake, sql)


@pytest.mark.parametrize(
    "sql",
    [
        "PIVOT vehicles ON plate USING count(*)",
        "SUMMARIZE vehicles",
        "EXPLAIN SELECT * FROM vehicles",
        "EXPLAIN ANALYZE SELECT * FROM vehicles",
        "FROM vehicles",
        "WITH v AS (SELECT * FROM Vehicles) SELECT * FROM v JOIN vehicles__log USING (id)",
    ],
)
def test_every_reading_statement_is_welcome(lake: Path, sql: str) -> None:
    assert ask(lake, sql)


def test_variables_of_the_process_cant_be_queried(lake: Path) -> None:
    with pytest.raises(QueryError, match="unknown table lake"):
        ask(lake, "SELECT * FROM lake")
