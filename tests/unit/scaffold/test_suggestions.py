"""What `fluvial init` makes of a database's profile: a file without a problem, and a reason for each suggestion."""

from pathlib import Path

import pytest

from fluvial.config.load import check_use_case
from fluvial.config.placeholders import local_placeholders
from fluvial.errors import FluvialError
from fluvial.generate.load import load_scenario
from fluvial.scaffold.column_types import configured_type
from fluvial.scaffold.from_profile import tables_from_profiles
from fluvial.scaffold.profile import ColumnProfile, TableProfile
from fluvial.scaffold.template import template_files

GUESTS = TableProfile(
    "guests",
    (
        ColumnProfile("guest_id", "bigint", True, 1, present=500),
        ColumnProfile("contact", "character varying(80)", present=500, matches={"email": 500}),
        ColumnProfile("last_name", "text", True, present=500),
        ColumnProfile("tier", "tier", labels=("it's", "gold"), present=10),
        ColumnProfile("nights", "integer", present=400),
        ColumnProfile("discount_pct", "numeric(5,2)", present=400),
        ColumnProfile("balance", "numeric(12,2)", present=400, negative=3),
        ColumnProfile("seen_at", "timestamp without time zone", present=0),
        ColumnProfile("tags", "text[]", present=400),
        ColumnProfile("odd \n: name", "text", present=400),
        ColumnProfile("initials", "text", present=400, is_generated=True),
    ),
    sampled=500,
)
HEADLESS = TableProfile("headless", (ColumnProfile("x", "text"),))
ODD = TableProfile("odd\ntables: []", (ColumnProfile("id", "bigint", True, 1),))


def written(*tables: TableProfile) -> str:
    return tables_from_profiles("hotel", "hotel", "public", tables)[0]


def lines_about(word: str) -> list[str]:
    return [line.strip() for line in written(GUESTS).splitlines() if word in line]


def test_the_file_has_neither_problem_nor_warning(tmp_path: Path) -> None:
    folder = tmp_path / "hotel"
    folder.mkdir()
    (folder / "tables.yaml").write_text(written(GUESTS, HEADLESS, ODD))

    checked = check_use_case(folder / "tables.yaml", local_placeholders())

    assert checked.warnings == ()
    assert [table.name for table in checked.use_case.tables] == ["guests"]
    assert checked.use_case.table("guests").masked_columns == {"contact", "last_name"}


def test_a_type_and_a_name_tell_what_is_personal() -> None:
    assert lines_about("contact_mask") == [
        "- {id: guests_contact_mask, type: mask_pii, column: contact, params: {visible_chars: 0}}"
        "  # why: all of the sampled values look like: email"
    ]
    assert lines_about("name: last_name") == [
        "- {name: last_name, type: string, nullable: false, classification: pii}"
        "  # why: its name says that it is personal"
    ]


def test_catalog_and_counts_tell_the_rules() -> None:
    rules = [line.partition(" # why: ") for line in lines_about("severity:")]

    assert [(rule.strip("- {}").split(",")[0], reason) for rule, _, reason in rules] == [
        ("id: guests_contact_present", "none of 500 sampled rows lacks it"),
        ("id: guests_contact_length", "its type is character varying(80)"),
        ("id: guests_contact_format", "all 500 sampled values look like: email"),
        ("id: guests_last_name_present", "the source says NOT NULL"),
        ("id: guests_tier_known", "the labels of its enum type"),
        ("id: guests_nights_range", "none of 400 sampled values is negative"),
        ("id: guests_discount_pct_range", "a share by its name, and all 400 sampled values lie from 0 to 100"),
    ]


def test_what_cannot_be_captured_is_told() -> None:
    assert [
        line for line in written(GUESTS, HEADLESS, ODD).splitlines() if "captured" in line or "left out" in line
    ] == [
        "# left out: headless: it has no primary key",
        "# left out: odd\\ntables: []: its name can't be a table of the lake",
        "      # not captured: tags: tables.yaml has no type for text[]",
        "      # not captured: odd \\n: name: its name can't be a column of the lake",
        "      # not captured: initials: it is generated, and no change event has its value",
    ]


def test_a_database_without_a_plain_name_is_refused() -> None:
    with pytest.raises(FluvialError, match="database my-db has no plain name"):
        tables_from_profiles("hotel", "my-db", "public", [GUESTS])


@pytest.mark.parametrize(
    ("postgres", "configured"),
    [
        ("numeric(12,2)", '"decimal(12,2)"'),
        ("numeric", ""),
        ("character varying(40)", "string"),
        ("jsonb", "string"),
        ("timestamp with time zone", "timestamp"),
        ("interval", ""),
        ("integer[]", ""),
    ],
)
def test_a_type_becomes_one_that_holds_every_value_or_none(postgres: str, configured: str) -> None:
    assert configured_type(postgres, is_enum=False) == configured


def test_the_template_is_a_use_case_with_a_life(tmp_path: Path) -> None:
    folder = tmp_path / "corner-shop"
    folder.mkdir()
    for name, text in template_files("corner-shop").items():
        (folder / name).write_text(text)

    checked = check_use_case(folder / "tables.yaml", local_placeholders())

    assert checked.warnings == ()
    assert load_scenario(folder / "scenario.yaml", checked.use_case).tables.keys() == {"customers"}
