"""Columns that expressions, figures and reference tables make, and rows that a filter keeps."""

from decimal import Decimal
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from fluvial.config.expressions import read_expression
from fluvial.config.locations import Locations
from fluvial.config.model import Table, UseCase
from fluvial.io.lake_writer import LakeWriter
from fluvial.io.verify import verify_table
from fluvial.transforms.expressions import compile_term
from fluvial.transforms.overflow import digits_of
from tests.spark.placing import place, rows
from tests.spark.records import TINY, debezium, records

EXPRESSIONS = {
    "{{ price + tax }}": ("decimal(12,2)", Decimal("12.39")),
    '{{ email.split("@")[0][:3] }}***': ("string", "ann***"),
    "{{ email.split('@')[-1] }}": ("string", "x.org"),
    "{{ email.split('@')[7] }}": ("string", None),
    "{{ email[-3:] }}{{ email[2:1] }}{{ email[90:] }}": ("string", "org"),
    "{{ email.split('.')[-9] }}": ("string", None),
    "{{ big * big }}": ("decimal(38,0)", Decimal(85070591730234615847396907784232501249)),
    "{{ (price - 0.1) % 3 / 0 }}": ("double", None),
    "{{ price | round(1) }}": ("decimal(12,2)", Decimal("10.40")),
    "{{ -price | abs }}": ("double", 10.39),
    "{{ nothing | default('none') | upper }}": ("string", "NONE"),
    "{{ nothing ~ email }}": ("string", None),
    "{{ 'gift' if is_gift else 'own' }}": ("string", "own"),
    "{{ email in ['a', 'ann@x.org'] and not is_gift }}": ("boolean", True),
    "{{ nothing == 'a' }}": ("boolean", None),
    "{{ nothing is none and born < '2000-01-01' }}": ("boolean", True),
    "{{ born.string() ~ (is_gift | string) }}": ("string", "1999-12-31false"),
    "{{ email | replace('.', '') | length }}": ("int", 8),
    "{{ email.startswith('ann') or email.endswith('x') }}": ("boolean", True),
    "{{ '  x ' | trim }}": ("string", "x"),
}
SALES = Table.model_validate(
    {
        "name": "sales",
        "primary_key": "id",
        "schema": [
            {"name": "id", "type": "integer"},
            {"name": "price", "type": "decimal(10,2)"},
            {"name": "tax", "type": "double"},
            {"name": "big", "type": "bigint"},
            {"name": "email", "type": "string"},
            {"name": "nothing", "type": "string"},
            {"name": "is_gift", "type": "boolean"},
            {"name": "born", "type": "date"},
        ],
        "transforms": [
            *(
                {"type": "map", "column": f"e{number}", "params": {"expression": text, "to_type": kind}}
                for number, (text, (kind, _)) in enumerate(EXPRESSIONS.items())
            ),
            *(
                {
                    "type": "aggregate",
                    "column": function,
                    "params": {"function": function, "fields": ["price", "tax", "big"], "to_type": "decimal(30,2)"},
                }
                for function in ("sum", "avg", "min", "max", "count")
            ),
            {
                "type": "join",
                "column": "stars",
                "params": {
                    "table": "mail",
                    "on": "email",
                    "take": "stars",
                    "to_type": "int",
                    "rows": {"ann@x.org": "5", "bo@x.org": None, "cy@x.org": "many"},
                },
            },
            {"type": "filter", "params": {"expression": "{{ price > 1 }}"}, "order": 1},
            {
                "type": "map",
                "column": "price",
                "params": {"expression": "{{ price * 2 }}", "to_type": "int"},
                "order": 2,
            },
        ],
    }
)
SALE = {
    "id": 1, "price": "10.39", "tax": 2.0, "big": 9223372036854775807, "email": "ann@x.org", "nothing": None,
    "is_gift": False, "born": "1999-12-31",
}  # fmt: skip


def test_expressions_mean_what_they_say(spark: SparkSession) -> None:
    whole = SALE | {"price": "10.50"}
    plain = SALES.model_copy(update={"transforms": SALES.transforms[: len(EXPRESSIONS)]})
    outcome = place(spark, plain, [debezium("c", 1, SALE)])
    values = rows(outcome.log, *(f"e{number}" for number in range(len(EXPRESSIONS))))[0]
    assert dict(zip(EXPRESSIONS, values, strict=True)) == {text: value for text, (_, value) in EXPRESSIONS.items()}

    small = whole | {"big": 3, "tax": None}
    few = [*SALES.transforms[len(EXPRESSIONS) :]]
    table = SALES.model_copy(update={"transforms": tuple(few)})
    batch = [
        debezium("c", 1, small),
        debezium("c", 2, small | {"price": "2.00", "big": None, "email": "bo@x.org"}),
        debezium("c", 3, small | {"price": "2.75", "email": "cy@x.org"}),
        debezium("u", 4, small | {"price": "0.50"}),
        debezium("u", 5, small | {"price": None}),
        debezium("u", 6, {"id": 1, "tax": 1.0, "price": "__debezium_unavailable_value"}),
        debezium("d", 7, small),
    ]
    placed = place(spark, table, batch)
    shown = rows(
        placed.log, "_operation", "price", "sum", "avg", "min", "max", "count", "stars", "_not_authored_columns"
    )
    two = Decimal("2.00")
    nothing = (None,) * 8
    unknown = ["price", "big", "email", "nothing", "is_gift", "born", "sum", "avg", "min", "max", "count", "stars"]
    assert shown == [
        ("INSERT", 21, Decimal("13.50"), Decimal("6.75"), Decimal("3.00"), Decimal("10.50"), two, 5, None),
        ("INSERT", 4, two, two, two, two, Decimal("1.00"), None, None),
        ("INSERT", *nothing),
        ("DELETE", None, None, None, None, None, Decimal("0.00"), None, None),
        ("DELETE", None, None, None, None, None, Decimal("0.00"), None, None),
        (
            "UPDATE",
            None,
            Decimal("1.00"),
            Decimal("1.00"),
            Decimal("1.00"),
            Decimal("1.00"),
            Decimal("1.00"),
            None,
            unknown,
        ),
        ("DELETE", 21, Decimal("13.50"), Decimal("6.75"), Decimal("3.00"), Decimal("10.50"), two, 5, None),
    ]
    assert rows(placed.quarantined, "price", "_failed_rules", "_violations.message") == [
        (
            Decimal("2.75"),
            ["transform.map", "transform.map"],
            ["stars can't hold what 'join' makes as int", "price can't hold what 'map' makes as int"],
        )
    ]


LARGE = Table.model_validate(
    {
        "name": "large",
        "primary_key": "id",
        "schema": [
            {"name": "id", "type": "int"},
            {"name": "a", "type": "decimal(38,0)"},
            {"name": "b", "type": "decimal(20,10)"},
            {"name": "c", "type": "bigint"},
            {"name": "d", "type": "double"},
        ],
        "transforms": [
            {"type": "filter", "params": {"expression": "{{ a * 10 > 5 or a is none }}"}},
            {
                "type": "map",
                "column": "e",
                "params": {"expression": "{{ 0 if c == 0 else a + c }}", "to_type": "double"},
            },
            {
                "type": "aggregate",
                "column": "f",
                "params": {"function": "sum", "fields": ["a", "c"], "to_type": "decimal(38,0)"},
            },
        ],
    }
)
MOST = "9" * 38


def test_a_number_that_needs_more_than_38_digits_on_the_way_is_no_missing_value(spark: SparkSession) -> None:
    values = [(MOST, 1), ("1", 1), (None, 1), (MOST[:37], -(2**63)), (MOST[:37] + "0", 0)]
    batch = [debezium("c", n, {"id": n, "a": a, "b": "1", "c": c, "d": 1.0}) for n, (a, c) in enumerate(values, 1)]
    placed = place(spark, LARGE, batch)
    assert rows(placed.quarantined, "id", "_failed_rules", "_violations.message") == [
        (
            1,
            ["transform.filter", "transform.map", "transform.map"],
            [
                "'filter' runs out of 38 digits",
                "e can't hold what 'map' makes as double",
                "f can't hold what 'aggregate' makes as decimal(38,0)",
            ],
        ),
        (5, ["transform.filter"], ["'filter' runs out of 38 digits"]),
    ]
    assert rows(placed.log, "id", "_operation", "e") == [
        (1, "INSERT", None),
        (2, "INSERT", 2.0),
        (3, "INSERT", None),
        (4, "INSERT", 1e37),
        (5, "INSERT", None),
    ]


@pytest.mark.parametrize(
    "expression",
    ["a + 1", "a * b", "b * b", "b / c", "b % c", "c * c * c", "a / b", "(b + 0.5) * 12.25", "c / 3 - b", "-b * c"],
)
def test_the_digits_of_a_result_are_counted_as_spark_counts_them(spark: SparkSession, expression: str) -> None:
    shape = LARGE.lake_shape
    term = read_expression(f"{{{{ {expression} }}}}", tuple((name, column.type) for name, column in shape.items()))
    digits = digits_of(term, shape)
    columns = {column.name: F.lit(None).cast(column.type) for column in LARGE.columns}
    found = spark.range(1).select(compile_term(term, columns, shape).alias("x")).dtypes[0][1]
    assert found == f"decimal({digits.kept.before + digits.kept.behind},{digits.kept.behind})"


def test_a_row_that_the_filter_stops_to_keep_leaves_the_history_and_comes_back_in_any_order(
    spark: SparkSession, tmp_path: Path
) -> None:
    cheap = Table.model_validate(
        {
            "name": "items",
            "primary_key": "id",
            "schema": [{"name": "id", "type": "int"}, {"name": "price", "type": "decimal(5,2)"}],
            "transforms": [{"type": "filter", "params": {"expression": "{{ price < 10 }}"}}],
        }
    )
    use_case = UseCase(**dict(UseCase.model_validate(TINY)) | {"tables": (cheap,)})
    events = [debezium("c", 1, {"id": 1, "price": "5"}), debezium("u", 2, {"id": 1, "price": "50"}),
              debezium("u", 3, {"id": 1, "price": "6"}), debezium("d", 4, {"id": 1, "price": "6"})]  # fmt: skip
    writer = LakeWriter(spark, use_case, Locations(use_case, tmp_path), "query-1")
    counts = [
        writer.write(records(spark, [events[2], events[0]]), 0)["items"],
        writer.write(records(spark, [events[3], events[1]], first=2), 1)["items"],
        writer.write(records(spark, events, first=4), 2)["items"],
    ]
    assert [(count.log_rows, count.duplicates) for count in counts] == [(2, 0), (2, 0), (0, 4)]
    history = spark.read.format("delta").load(Locations(use_case, tmp_path).table(cheap).history)
    found = history.orderBy("_sequence").select(F.col("price").cast("string"), "_is_current", "_end_sequence")
    assert [(row[0], row[1], int(row[2][-1])) for row in found.collect()] == [("5.00", False, 2), ("6.00", False, 4)]
    assert verify_table(use_case, tmp_path, cheap).is_same
