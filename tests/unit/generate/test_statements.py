from decimal import Decimal

from fluvial.columns import DELETE, INSERT, UPDATE
from fluvial.generate.draws import Increase
from fluvial.generate.statements import Statement, to_sql


def test_an_insert_lists_its_columns() -> None:
    query, values = to_sql("public", Statement("t", INSERT, ("id",), (1,), (("id", 1), ("name", None))))

    assert query.decode() == 'insert into "public"."t" ("id", "name") values (%s, %s)'
    assert values == (1, None)


def test_an_update_names_its_row_by_the_whole_key_and_adds_increases() -> None:
    update = Statement("t", UPDATE, ("a", "b"), (1, "x"), (("name", "n"), ("km", Increase(Decimal("2.5")))))

    query, values = to_sql("public", update)

    assert query.decode() == (
        'update "public"."t" set "name" = %s, "km" = coalesce("km", 0) + %s where "a" = %s and "b" = %s'
    )
    assert values == ("n", Decimal("2.5"), 1, "x")


def test_a_delete_is_a_delete() -> None:
    query, values = to_sql("public", Statement("t", DELETE, ("id",), (1,)))

    assert (query.decode(), values) == ('delete from "public"."t" where "id" = %s', (1,))


def test_identifiers_are_quoted() -> None:
    query, _ = to_sql('my"schema', Statement("t", DELETE, ("id; drop table t",), (1,)))

    assert query.decode() == 'delete from "my""schema"."t" where "id; drop table t" = %s'
