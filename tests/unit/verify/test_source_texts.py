"""Text columns over other types of the source: how a comparison says them, and which it leaves out."""

import pytest

from fluvial.verify.source_facts import SourceColumn
from fluvial.verify.source_sql import compared_values
from fluvial.verify.source_texts import captured_sql, columns_sql, told_table, untold_columns
from tests.unit.io.lakes import use_case_of

TABLE = use_case_of(
    {
        "name": "t",
        "primary_key": ["id"],
        "schema": [{"name": "id", "type": "int"}, {"name": "a", "type": "string"}, {"name": "b", "type": "date"}],
        "transforms": [
            {"type": "rename", "column": "a", "params": {"new_name": "c"}},
            {"type": "map", "column": "d", "params": {"expression": "{{ c | upper }}", "to_type": "string"}},
        ],
    }
).tables[0]


def types(kind: str, *, is_enum: bool = False) -> dict[str, SourceColumn]:
    return {"id": SourceColumn("integer"), "a": SourceColumn(kind, is_enum=is_enum), "b": SourceColumn("date")}


@pytest.mark.parametrize(
    ("kind", "expression"),
    [
        ("text", '"a"'),
        ("character varying(40)", '"a"'),
        ("uuid", '"a"'),
        ("jsonb", '"a"'),
        ("numeric(10,2)", '"a"'),
        ("character(5)", 'rpad("a"::text, 5)'),
        ("bigint[]", 'to_json("a")::text'),
        ("uuid[]", 'to_json("a")::text'),
    ],
)
def test_a_text_is_said_as_it_was_captured(kind: str, expression: str) -> None:
    assert captured_sql(TABLE, "public", types(kind)) == (
        f'(select "id" as "id", {expression} as "a", "b" as "b" from "public"."t") as captured'
    )
    assert untold_columns(TABLE, types(kind)) == frozenset()


@pytest.mark.parametrize(
    "kind",
    ["interval", "time without time zone", "point", "date[]", "numeric(10,2)[]", "numeric", "bit(3)", "date", "text[]"],
)
def test_a_text_that_the_capture_writes_otherwise_is_left_out(kind: str) -> None:
    assert untold_columns(TABLE, types(kind)) == {"a"}


def test_an_enumeration_is_a_text_whatever_its_name() -> None:
    assert untold_columns(TABLE, types("mood", is_enum=True)) == frozenset()


def test_what_a_table_makes_of_a_column_that_is_left_out_is_left_out_as_well() -> None:
    assert compared_values(told_table(TABLE, frozenset())) == ("c", "b")
    assert compared_values(told_table(TABLE, frozenset({"a"}))) == ("b",)


def test_the_types_are_asked_of_the_table_in_its_schema() -> None:
    assert """attrelid = '"shop"."t"'::regclass""" in columns_sql(TABLE, "shop")
