import pytest

from fluvial.config.model import Table
from fluvial.errors import QueryError
from fluvial.verify.row_key import parse_key


def table_with_key(*names: str) -> Table:
    schema = [{"name": name, "type": "string"} for name in names]
    return Table.model_validate({"name": "t", "primary_key": names, "schema": schema})


@pytest.mark.parametrize(
    ("text", "names", "key"),
    [
        ("7", ("id",), {"id": "7"}),
        ("a,b", ("id",), {"id": "a,b"}),
        ("id=7", ("id",), {"id": "7"}),
        ("x=7", ("id",), {"id": "x=7"}),
        ("a,b", ("k1", "k2"), {"k1": "a", "k2": "b"}),
        ("k2=b, k1=a", ("k1", "k2"), {"k1": "a", "k2": "b"}),
        ('"a,1",b', ("k1", "k2"), {"k1": "a,1", "k2": "b"}),
    ],
)
def test_a_key_is_read_by_place_or_by_name(text: str, names: tuple[str, ...], key: dict[str, str]) -> None:
    assert parse_key(text, table_with_key(*names)) == key


@pytest.mark.parametrize("text", ["a", "a,b,c", "k1=a,k1=b"])
def test_a_key_of_the_wrong_shape_says_how_to_write_it(text: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse_key(text, table_with_key("k1", "k2"))
    assert caught.value.hint == "write it as <k1>,<k2> or k1=<value>,k2=<value>"
