from typing import Any

import duckdb
import pytest

from fluvial.verify.source_sql import quarantined_keys_sql, source_differences_sql, states_sql, typed_rows_sql
from tests.unit.io.lakes import use_case_of

TABLE = use_case_of(
    {"name": "t", "primary_key": ["id"], "schema": [{"name": "id", "type": "int"}, {"name": "a", "type": "string"}]}
).tables[0]
LOW, HIGH = "0000000000000010", "0000000000000020"
Version = tuple[int, str | None, str, str | None]
"""Key, value of a, position where it begins, position where it ends."""


def at(position: str | None) -> str | None:
    return None if position is None else f"0000.1.{position:0>16}"


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    found = duckdb.connect()
    found.execute("CREATE TABLE source_rows (id INTEGER, a VARCHAR)")
    found.execute(
        "CREATE TABLE history (id INTEGER, a VARCHAR, _sequence VARCHAR, _end_sequence VARCHAR, "
        "_unresolved_columns VARCHAR[])"
    )
    found.execute("CREATE TABLE log (id INTEGER, _sequence VARCHAR, _operation VARCHAR, _is_quarantined BOOLEAN)")
    return found


def compare(
    connection: duckdb.DuckDBPyConnection, source: list[tuple[int, str | None]], versions: list[Version]
) -> list[Any]:
    for row in source:
        connection.execute("INSERT INTO source_rows VALUES (?, ?)", row)
    for key, value, begins, ends in versions:
        connection.execute("INSERT INTO history VALUES (?, ?, ?, ?, NULL)", (key, value, at(begins), at(ends)))
    connection.execute(f"CREATE TABLE states AS {states_sql(TABLE, 'history')}", {"epoch": "0000"})
    skipped = quarantined_keys_sql(TABLE, "log")
    connection.execute(f"CREATE TABLE quarantined AS {skipped}", {"epoch": "0000", "high": HIGH})
    buckets = [row[0] for row in connection.execute("SELECT DISTINCT __bucket FROM states").fetchall()]
    sql = source_differences_sql(TABLE, "source_rows", "states", "quarantined")
    return connection.execute(sql, {"low": LOW, "high": HIGH, "buckets": buckets}).fetchall()


def test_the_version_open_at_the_position_is_the_one_compared(connection: duckdb.DuckDBPyConnection) -> None:
    versions: list[Version] = [(1, "old", "1", "5"), (1, "then", "5", "30"), (1, "later", "30", None)]
    assert compare(connection, [(1, "then")], versions) == []


def test_another_value_is_a_difference(connection: duckdb.DuckDBPyConnection) -> None:
    assert compare(connection, [(1, "x")], [(1, "y", "5", None)]) == [("id=1", at("5"), "a", "x", "y")]


def test_null_equals_null_and_nothing_else(connection: duckdb.DuckDBPyConnection) -> None:
    versions: list[Version] = [(1, None, "5", None), (2, "", "5", None)]
    assert compare(connection, [(1, None), (2, None)], versions) == [("id=2", at("5"), "a", None, "")]


def test_a_row_the_lake_lacks_is_a_difference(connection: duckdb.DuckDBPyConnection) -> None:
    assert compare(connection, [(1, "x")], []) == [("id=1", "", "*", "a row", None)]


def test_a_row_that_came_to_the_lake_later_only_is_a_difference(connection: duckdb.DuckDBPyConnection) -> None:
    assert compare(connection, [(1, "x")], [(1, "x", "30", None)]) == [("id=1", "", "*", "a row", None)]


def test_a_row_the_source_lacks_is_a_difference(connection: duckdb.DuckDBPyConnection) -> None:
    assert compare(connection, [], [(1, "x", "5", None)]) == [("id=1", at("5"), "*", None, "a row")]


def test_a_row_deleted_before_or_inserted_after_the_position_is_none(connection: duckdb.DuckDBPyConnection) -> None:
    assert compare(connection, [], [(1, "x", "5", "9"), (2, "x", "30", None)]) == []


@pytest.mark.parametrize("value", ["before", "after"])
def test_a_change_of_a_running_transaction_may_be_seen_or_not(
    connection: duckdb.DuckDBPyConnection, value: str
) -> None:
    assert compare(connection, [(1, value)], [(1, "before", "5", "15"), (1, "after", "15", None)]) == []


@pytest.mark.parametrize("source", [[], [(1, "x")]])
def test_an_insert_of_a_running_transaction_may_be_seen_or_not(
    connection: duckdb.DuckDBPyConnection, source: list[tuple[int, str | None]]
) -> None:
    assert compare(connection, source, [(1, "x", "15", None)]) == []


@pytest.mark.parametrize("source", [[], [(1, "x")]])
def test_a_delete_of_a_running_transaction_may_be_seen_or_not(
    connection: duckdb.DuckDBPyConnection, source: list[tuple[int, str | None]]
) -> None:
    assert compare(connection, source, [(1, "x", "5", "15")]) == []


def test_a_key_whose_last_event_is_in_quarantine_is_left_out(connection: duckdb.DuckDBPyConnection) -> None:
    for position, is_quarantined in (("5", False), ("7", True)):
        connection.execute("INSERT INTO log VALUES (1, ?, 'UPDATE', ?)", (at(position), is_quarantined))
    assert compare(connection, [(1, "bad")], [(1, "good", "5", None)]) == []


def test_a_repaired_key_is_compared_again(connection: duckdb.DuckDBPyConnection) -> None:
    for is_quarantined in (True, False):
        connection.execute("INSERT INTO log VALUES (1, ?, 'UPDATE', ?)", (at("7"), is_quarantined))
    assert compare(connection, [(1, "x")], [(1, "y", "7", None)]) == [("id=1", at("7"), "a", "x", "y")]


def test_what_a_version_couldnt_resolve_isnt_compared(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("INSERT INTO history VALUES (1, NULL, ?, NULL, ['a'])", (at("5"),))
    assert compare(connection, [(1, "x")], []) == []


def test_a_snapshot_row_lies_before_every_position(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("INSERT INTO history VALUES (1, 'x', '0000.0.00000000000000FF', NULL, NULL)")
    assert compare(connection, [(1, "x")], []) == []


def test_a_column_may_be_called_what_the_query_might_call_one_of_its_own() -> None:
    names = ("id", "a", "s_a", "bucket_", "ends_")
    schema = [{"name": name, "type": "string"} for name in names]
    table = use_case_of({"name": "t", "primary_key": ["id"], "schema": schema}).tables[0]
    columns = ", ".join(f"{name} VARCHAR" for name in names)
    found = duckdb.connect()
    found.execute(f"CREATE TABLE source_rows ({columns})")
    found.execute(
        f"CREATE TABLE history ({columns}, _sequence VARCHAR, _end_sequence VARCHAR, _unresolved_columns VARCHAR[])"
    )
    found.execute("CREATE TABLE quarantined (id VARCHAR)")
    found.execute("INSERT INTO source_rows VALUES ('1', 'x', 'y', 'b', 'c'), ('2', 'x', 'y', 'b', 'new')")
    for key in ("1", "2"):
        found.execute("INSERT INTO history VALUES (?, 'x', 'y', 'b', 'c', ?, NULL, NULL)", (key, at("5")))
    found.execute(f"CREATE TABLE states AS {states_sql(table, 'history')}", {"epoch": "0000"})
    buckets = [row[0] for row in found.execute("SELECT DISTINCT __bucket FROM states").fetchall()]
    sql = source_differences_sql(table, "source_rows", "states", "quarantined")
    rows = found.execute(sql, {"low": LOW, "high": HIGH, "buckets": buckets}).fetchall()
    assert rows == [("id=2", at("5"), "ends_", "new", "c")]


def test_what_no_database_can_repeat_is_not_compared(connection: duckdb.DuckDBPyConnection) -> None:
    table = use_case_of(
        {
            "name": "t",
            "primary_key": ["id"],
            "schema": [
                {"name": "id", "type": "int"},
                {"name": "a", "type": "string"},
                {"name": "b", "type": "string"},
                {"name": "c", "type": "int"},
            ],
            "transforms": [
                {"type": "rename", "column": "a", "params": {"new_name": "x"}},
                {"type": "default_value", "column": "x", "params": {"value": "it's"}},
                {"type": "cast", "column": "b", "params": {"to_type": "int"}},
                {"type": "cast", "column": "c", "params": {"to_type": "string"}},
            ],
        }
    ).tables[0]
    connection.execute("CREATE TABLE raw AS SELECT '7' AS id, NULL::VARCHAR AS a, 'many' AS b, '03' AS c")

    found = connection.execute(typed_rows_sql(table, "raw"))

    assert [column[0] for column in found.description or ()] == ["id", "x", "c"]
    assert found.fetchall() == [(7, "it's", "3")]


def test_rounding_leaves_numbers_without_end_and_far_beyond_any_point_alone(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    table = use_case_of(
        {
            "name": "t",
            "primary_key": ["id"],
            "schema": [{"name": "id", "type": "int"}, {"name": "score", "type": "double"}],
            "transforms": [{"type": "round", "column": "score", "params": {"decimals": 1}}],
        }
    ).tables[0]
    scores = "('2.25'), ('-2.25'), ('inf'), ('-inf'), ('nan'), ('1e300'), (NULL)"
    connection.execute(f"CREATE TABLE raw AS SELECT '7' AS id, score FROM (VALUES {scores}) AS told(score)")

    found = connection.execute(typed_rows_sql(table, "raw")).fetchall()

    assert [str(score) for _, score in found] == ["2.3", "-2.3", "inf", "-inf", "nan", "1e+300", "None"]
