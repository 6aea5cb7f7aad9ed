"""Reference tables: files beside tables.yaml that `join` looks up."""

from pathlib import Path

import pytest

from fluvial.errors import ConfigError
from tests.unit.config.samples import SHOP, load_text

JOIN = SHOP.replace(
    "tables:\n",
    "reference_tables:\n  - {name: places, file: places.csv, key: code}\ntables:\n",
    1,
).replace(
    "{id: email_trim, type: trim, column: email, params: {}, order: 1}",
    "{type: join, column: city, params: {table: places, on: email, take: city, to_type: string}}",
)
PLACES = "code,city\nHH,Hamburg\nB,\n"


def problems(folder: Path, text: str, places: str | None) -> list[tuple[str, str, str]]:
    if places is not None:
        (folder / "places.csv").write_text(places, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_text(folder, text)
    found = caught.value.problems
    return [(f"{problem.line}:{problem.column} {problem.code}", problem.message, problem.hint) for problem in found]


def test_a_join_knows_the_rows_of_its_file_and_makes_a_column(tmp_path: Path) -> None:
    (tmp_path / "places.csv").write_text(PLACES, encoding="utf-8")

    orders = load_text(tmp_path, JOIN).table("orders")

    join = orders.transforms[0]
    assert join.params.model_dump()["rows"] == {"HH": "Hamburg", "B": None}
    assert orders.lake.columns[-1].model_dump(include={"name", "type"}) == {"name": "city", "type": "string"}
    assert join.summary == "join places.city on email"


@pytest.mark.parametrize(
    ("places", "message"),
    [
        (None, "places.csv: no such file or directory"),
        ("", "places.csv needs a line of names and 5,000 rows at most"),
        ("id,city\n1,Hamburg\n", "places.csv has no column 'code' for its key"),
        ("code,city\nHH,Hamburg\nHH,Hanse\n", "places.csv:3: each row has every column, and a key of its own"),
        ("code,city\nHH\n", "places.csv:2: each row has every column, and a key of its own"),
        ("code,city\n,Hamburg\n", "places.csv:2: each row has every column, and a key of its own"),
        ('code,city\nHH,"Ham"burg\n', "places.csv isn't CSV in UTF-8"),
        ("code,city\n" + "x" * 300_000, "places.csv is larger than 256 KiB"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_problem(tmp_path: Path, places: str | None, message: str) -> None:
    hint = "a CSV file in UTF-8 with a line of names"
    assert problems(tmp_path, JOIN, places) == [("15:26 E057", message, hint)]


@pytest.mark.parametrize(
    ("right", "wrong", "place", "message", "hint"),
    [
        ("table: places", "table: place", "33:52 E057", "no reference table 'place'", "did you mean 'places'?"),
        (
            "take: city",
            "take: town",
            "33:77 E057",
            "reference table 'places' has no column 'town'",
            "known: city, code",
        ),
        ("on: email", "on: mail", "33:64 E020", "no column 'mail' by then", "did you mean 'email'?"),
        (
            "file: places.csv",
            "file: ../places.csv",
            "15:26 E013",
            "'../places.csv' isn't a usable file",
            "the name of a CSV file beside this one, like depots.csv",
        ),
    ],
)
def test_a_join_that_leads_nowhere_is_told(
    tmp_path: Path, right: str, wrong: str, place: str, message: str, hint: str
) -> None:
    assert (place, message, hint) in problems(tmp_path, JOIN.replace(right, wrong), PLACES)
