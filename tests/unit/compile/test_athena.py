import pytest
import sqlglot
from sqlglot import exp

from fluvial.compile.athena import CatalogEntry, compile_catalog
from fluvial.config.model import UseCase
from fluvial.config.transforms import RenameParams, RenameTransform


def by_name(use_case: UseCase) -> dict[str, CatalogEntry]:
    return {entry.name: entry for entry in compile_catalog(use_case)}


def test_every_statement_parses_as_athena_sql(shop: UseCase) -> None:
    parsed = [sqlglot.parse_one(entry.sql, dialect="athena") for entry in compile_catalog(shop)]

    assert {type(statement) for statement in parsed} == {exp.Create}


def test_a_delta_table_has_a_location_and_its_type_and_nothing_else(shop: UseCase) -> None:
    assert by_name(shop)["orders"].sql == (
        "CREATE EXTERNAL TABLE IF NOT EXISTS `corner_shop`.`orders`\n"
        "LOCATION 's3://b/orders/'\n"
        "TBLPROPERTIES ('table_type' = 'DELTA')"
    )


def test_columns_are_those_of_the_lake_and_of_the_source_in_quarantine(shop: UseCase) -> None:
    rename = RenameTransform(type="rename", column="buyer", params=RenameParams(new_name="customer"))
    orders = shop.table("orders").model_copy(update={"transforms": (rename,)})
    entries = by_name(shop.model_copy(update={"tables": (orders,)}))

    assert entries["orders"].columns == entries["orders__log_all"].columns
    assert set(entries["orders__quarantine"].columns) - set(entries["orders"].columns) == {"buyer"}
    assert set(entries["orders"].columns) - set(entries["orders__quarantine"].columns) == {"customer"}


@pytest.mark.parametrize(
    ("name", "source"), [("orders__current", "orders"), ("order_lines__log", "order_lines__log_all")]
)
def test_a_view_reads_a_table_that_an_earlier_statement_makes(shop: UseCase, name: str, source: str) -> None:
    names = [entry.name for entry in compile_catalog(shop)]
    view = sqlglot.parse_one(by_name(shop)[name].sql, dialect="athena")

    assert [table.name for table in view.expression.find_all(exp.Table)] == [source]
    assert names.index(source) < names.index(name)


def test_every_relation_of_fluvial_query_is_there(shop: UseCase) -> None:
    assert set(by_name(shop)) == {
        "corner_shop",
        *("orders", "orders__current", "orders__log", "orders__log_all", "orders__quarantine"),
        *("order_lines", "order_lines__current", "order_lines__log", "order_lines__log_all"),
        *("order_lines__quarantine", "dead_letters", "quarantine_replays", "dq_metrics", "batches"),
    }
