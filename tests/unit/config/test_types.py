import pytest

from fluvial.config.types import Family, UnknownTypeError, family, holds, known_type_names, spark_type


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("VARCHAR(20)", "string"), ("double  precision", "double"), ("timestamptz", "timestamp"), ("int", "int"),
        ("integer", "int"), ("long", "bigint"), ("numeric(10, 2)", "decimal(10,2)"), ("decimal(5)", "decimal(5,0)"),
        ("numeric", "decimal(38,18)"), ("bytea", "binary"), ("uuid", "string"), ("smallint", "smallint"),
    ],
)  # fmt: skip
def test_a_written_type_becomes_sparks(written: str, expected: str) -> None:
    assert spark_type(written) == expected


@pytest.mark.parametrize("written", ["", "strnig", "decimal(x)", "array<int>", "int(4)"])
def test_an_unknown_type_is_refused(written: str) -> None:
    with pytest.raises(UnknownTypeError):
        spark_type(written)


@pytest.mark.parametrize("written", ["decimal(39,2)", "decimal(0)", "decimal(5,6)"])
def test_an_impossible_precision_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="is impossible"):
        spark_type(written)


def test_every_known_type_belongs_to_a_family() -> None:
    names = [name for name in known_type_names() if name != "decimal(p,s)"]

    assert {family(spark_type(name)) for name in [*names, "decimal(4,2)"]} == set(Family)


@pytest.mark.parametrize(
    ("configured", "found", "expected"),
    [
        ("string", "uuid", True),
        ("string", "integer[]", True),
        ("string", "jsonb", True),
        ("bigint", "integer", True),
        ("int", "bigint", False),
        ("decimal(12,2)", "numeric(10,2)", True),
        ("decimal(12,4)", "numeric(12,2)", False),
        ("decimal(12,2)", "numeric(12,4)", False),
        ("decimal(38,18)", "numeric", True),
        ("decimal(12,2)", "integer", False),
        ("timestamp", "timestamp without time zone", True),
        ("timestamp", "timestamp(3) with time zone", True),
        ("timestamp", "date", False),
        ("double", "real", True),
        ("date", "timestamp with time zone", False),
    ],
)
def test_a_configured_type_holds_every_value_of_a_postgresql_type_or_doesnt(
    configured: str, found: str, expected: bool
) -> None:
    assert holds(configured, found) is expected
