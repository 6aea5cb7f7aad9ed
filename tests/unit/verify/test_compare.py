import duckdb

from fluvial.verify.compare import invariants_sql
from tests.unit.io.lakes import use_case_of


def test_a_column_may_be_called_what_the_query_might_call_one_of_its_own() -> None:
    """Its values aren't taken for the time at which the next version begins."""
    schema = [{"name": "id", "type": "int"}, {"name": "following", "type": "timestamp"}]
    table = use_case_of({"name": "t", "primary_key": ["id"], "schema": schema}).tables[0]
    connection = duckdb.connect()
    connection.execute(
        """
        CREATE TABLE history AS SELECT * FROM (VALUES
          (1, TIMESTAMP '2020-01-01', '1', TIMESTAMP '2026-01-01', TIMESTAMP '2026-01-02', false),
          (1, TIMESTAMP '2020-01-01', '2', TIMESTAMP '2026-01-02', NULL, true),
          (2, NULL, '3', TIMESTAMP '2026-01-01', TIMESTAMP '2026-01-04', false),
          (2, NULL, '4', TIMESTAMP '2026-01-03', NULL, true)
        ) AS t(id, following, _sequence, _effective_from, _effective_to, _is_current)
        """
    )
    connection.execute(
        "CREATE TABLE log (id INTEGER, following TIMESTAMP, _sequence VARCHAR, _operation VARCHAR, "
        "_payload_hash BIGINT, _is_quarantined BOOLEAN)"
    )
    found = connection.execute(invariants_sql(table, "log", "history")).fetchall()
    assert [row[:3] for row in found] == [("id=2", "3", "_effective_to")]
