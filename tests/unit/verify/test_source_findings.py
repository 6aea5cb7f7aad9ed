"""What `validate --live` says about a source that differs from its tables.yaml."""

from dataclasses import replace
from pathlib import Path

import pytest

from fluvial.verify.source_facts import SourceColumn, SourceFacts, SourceTable
from fluvial.verify.source_findings import source_findings
from tests.unit.config.samples import SHOP, load_text

ORDERS = {
    "id": SourceColumn("bigint", True, 1),
    "email": SourceColumn("character varying(80)"),
    "total": SourceColumn("numeric(10,2)"),
    "is_gift": SourceColumn("boolean"),
    "placed_on": SourceColumn("date"),
    "photo": SourceColumn("bytea"),
    "more": SourceColumn("point"),
}
BUYERS = {"id": SourceColumn("integer", True, 1), "country": SourceColumn("country", True, 2, is_enum=True)}
RIGHT = SourceFacts(tables={"orders": SourceTable(ORDERS), "buyers": SourceTable(BUYERS)})

Found = list[tuple[str, str, str]]


def found(folder: Path, facts: SourceFacts) -> Found:
    findings = source_findings(load_text(folder, SHOP), facts)
    return [(".".join(map(str, each.path)), each.code, each.message) for each in findings]


def with_orders(**columns: SourceColumn) -> SourceFacts:
    return replace(RIGHT, tables={**RIGHT.tables, "orders": SourceTable({**ORDERS, **columns})})


def test_a_source_whose_values_all_fit_has_no_finding(tmp_path: Path) -> None:
    assert found(tmp_path, RIGHT) == []


@pytest.mark.parametrize(
    ("facts", "path", "code", "message"),
    [
        (replace(RIGHT, wal_level="replica"), "source_database", "E060", "the source keeps no logical log"),
        (replace(RIGHT, free_slots=0), "source_database", "E061", "the source has no free replication slot"),
        (replace(RIGHT, may_replicate=False), "source_database", "E062", "role 'cdc' may not replicate"),
        (replace(RIGHT, tables={"orders": SourceTable(ORDERS)}), "tables.1.name", "E063",
         "the source has no table public.buyers"),
        (replace(RIGHT, tables={**RIGHT.tables, "orders": SourceTable(ORDERS, is_readable=False)}), "tables.0.name",
         "E062", "role 'cdc' may not read table 'orders'"),
        (replace(RIGHT, tables={**RIGHT.tables, "buyers": SourceTable({"id": BUYERS["id"]})}), "tables.1.schema.1.name",
         "E064", "source table 'buyers' has no column 'country'"),
        (with_orders(total=SourceColumn("numeric")), "tables.0.schema.2.type", "E065",
         "column 'total' is numeric in the source, which a decimal(12,2) column can't hold exactly"),
        (with_orders(total=SourceColumn("numeric(12,3)")), "tables.0.schema.2.type", "E065",
         "column 'total' is numeric(12,3) in the source, which a decimal(12,2) column can't hold exactly"),
        (with_orders(id=SourceColumn("bigint", True)), "tables.0.primary_key", "E066",
         "the primary key of source table 'orders' is nothing"),
        (replace(RIGHT, tables={**RIGHT.tables, "orders": SourceTable(ORDERS, identity="default")}), "tables.0.name",
         "W010", "source table 'orders' has replica identity default: old values may stay unknown"),
        (with_orders(email=SourceColumn("text", is_generated=True)), "tables.0.schema.1.name", "E068",
         "column 'email' is generated in the source, and no change event has its value"),
        (replace(RIGHT, tables={**RIGHT.tables, "orders": SourceTable(ORDERS, hides_rows=True)}), "tables.0.name",
         "E069", "row level security keeps rows of table 'orders' from role 'cdc', so a snapshot lacks them"),
        (replace(RIGHT, tables={**RIGHT.tables, "orders": SourceTable(ORDERS, is_inherited=True)}), "tables.0.name",
         "E070", "tables inherit from 'orders': a snapshot has their rows, and no change of them follows"),
        (replace(RIGHT, tables={**RIGHT.tables, "orders": SourceTable(ORDERS, is_unlogged=True)}), "tables.0.name",
         "E071", "source table 'orders' is unlogged: PostgreSQL writes down none of its changes"),
        (replace(RIGHT, tables={**RIGHT.tables, "orders": SourceTable(ORDERS, is_partitioned=True)}), "tables.0.name",
         "W012", "source table 'orders' is partitioned: rows that leave with a whole partition stay current"),
    ],
)  # fmt: skip
def test_each_difference_is_told_at_its_place(
    tmp_path: Path, facts: SourceFacts, path: str, code: str, message: str
) -> None:
    assert (path, code, message) in found(tmp_path, facts)


@pytest.mark.parametrize(
    ("source", "configured", "fits"),
    [
        ("smallint", "bigint", True),
        ("bigint", "int", False),
        ("real", "double", True),
        ("double precision", "float", False),
        ("numeric(8,2)", "decimal(12,4)", True),
        ("numeric(12,4)", "decimal(12,2)", False),
        ("uuid", "string", True),
        ("jsonb", "string", True),
        ("integer", "string", False),
        ("text", "int", False),
        ("timestamp with time zone", "timestamp", True),
        ("date", "timestamp", False),
    ],
)
def test_a_type_fits_that_can_hold_every_value(tmp_path: Path, source: str, configured: str, fits: bool) -> None:
    text = f"""\
settings: {{checkpoint_location: s3://a/c, quarantine_path: s3://a/q, delta_bucket: s3://d}}
kafka: {{bootstrap_servers: "b:1"}}
tables:
  - {{name: t, primary_key: id, schema: [{{name: id, type: int}}, {{name: v, type: "{configured}"}}]}}
"""
    columns = {"id": SourceColumn("integer", True, 1), "v": SourceColumn(source)}
    findings = source_findings(load_text(tmp_path, text), SourceFacts(tables={"t": SourceTable(columns)}))

    assert ([each.code for each in findings] == []) == fits


def test_a_partitioned_table_is_none_for_dms(tmp_path: Path) -> None:
    text = SHOP.replace("schema_name: public", "schema_name: public\n  capture: dms")
    facts = replace(RIGHT, tables={**RIGHT.tables, "orders": SourceTable(ORDERS, is_partitioned=True)})

    assert [(each.code, each.hint) for each in source_findings(load_text(tmp_path, text), facts)] == [
        ("E067", "capture with Debezium, or configure each partition as a table")
    ]


def test_a_timestamp_without_zone_is_a_warning(tmp_path: Path) -> None:
    text = SHOP.replace("type: date", "type: timestamp")
    columns = {**ORDERS, "placed_on": SourceColumn("timestamp without time zone")}
    facts = replace(RIGHT, tables={**RIGHT.tables, "orders": SourceTable(columns)})

    assert [each.code for each in source_findings(load_text(tmp_path, text), facts)] == ["W011"]
