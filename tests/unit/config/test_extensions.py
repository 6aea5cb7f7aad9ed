"""Rules and transforms that a use case brings along."""

import re
from pathlib import Path

import pytest

from fluvial.config.extended_model import use_case_model
from fluvial.config.extensions import load_extensions
from fluvial.config.load import load_use_case
from fluvial.errors import ConfigError
from fluvial.plan.configuration import restore_use_case, use_case_document

GUIDE = Path("docs/how-to/own-rules.md")


def blocks(language: str, root: Path) -> str:
    return "\n".join(re.findall(rf"```{language}\n(.*?)```", (root / GUIDE).read_text(encoding="utf-8"), re.DOTALL))


@pytest.fixture
def fleet(tmp_path: Path, pytestconfig: pytest.Config) -> Path:
    """The use case of the guide, written out."""
    (tmp_path / "fleet_rules.py").write_text(blocks("python", pytestconfig.rootpath), encoding="utf-8")
    (tmp_path / "tables.yaml").write_text(blocks("yaml", pytestconfig.rootpath), encoding="utf-8")
    return tmp_path


def problems(folder: Path) -> list[tuple[str, str, str]]:
    with pytest.raises(ConfigError) as caught:
        load_use_case(folder / "tables.yaml", {})
    return [
        (f"{problem.line}:{problem.column} {problem.code}", problem.message, problem.hint)
        for problem in caught.value.problems
    ]


def edit(folder: Path, name: str, right: str, wrong: str) -> None:
    text = (folder / name).read_text(encoding="utf-8")
    assert right in text
    (folder / name).write_text(text.replace(right, wrong), encoding="utf-8")


def test_the_code_of_the_guide_is_ten_lines_for_each_kind_at_most(pytestconfig: pytest.Config) -> None:
    _, *kinds = blocks("python", pytestconfig.rootpath).split("@register")
    assert [len([line for line in kind.splitlines() if line.strip()]) <= 10 for kind in kinds] == [True, True]


def test_an_applied_configuration_with_own_kinds_can_be_read_again_with_them(fleet: Path) -> None:
    use_case = load_use_case(fleet / "tables.yaml", {})

    assert restore_use_case(use_case_document(use_case), type(use_case)) == use_case


def test_the_use_case_of_the_guide_loads(fleet: Path) -> None:
    (table,) = load_use_case(fleet / "tables.yaml", {}).tables

    assert table.dq_rules[0].model_dump() == {
        "id": "pressure_step", "column": "pressure", "severity": "error", "type": "multiple", "params": {"of": 5}
    }  # fmt: skip
    assert table.transforms[0].summary == "initials"


def test_parameters_columns_and_names_are_checked_like_those_of_built_in_kinds(fleet: Path) -> None:
    edit(
        fleet,
        "tables.yaml",
        "type: multiple, column: pressure, params: {of: 5}",
        "type: multiple, column: fitter, params: {off: 5}",
    )
    edit(fleet, "tables.yaml", "type: initials", "type: intials")

    assert problems(fleet) == [
        ("16:69 E011", "'of' is missing", "add `of:`: Every value is a multiple of this."),
        ("16:70 E010", "unknown key 'off'", "did you mean 'of'?"),
        ("18:37 E015", "unknown transform 'intials'", "did you mean 'initials'?"),
    ]


def test_a_column_of_another_kind_is_refused(fleet: Path) -> None:
    edit(fleet, "tables.yaml", "type: multiple, column: pressure", "type: multiple, column: fitter")

    assert [message for _, message, _ in problems(fleet)] == [
        "rule 'multiple' needs a number column; 'fitter' is string"
    ]


def test_the_json_schema_documents_them(fleet: Path) -> None:
    schema = use_case_model(load_extensions("fleet_rules", fleet)).model_json_schema()

    assert schema["$defs"]["Multiple"]["description"] == "The value is a multiple of `of`."
    assert schema["$defs"]["MultipleParams"]["properties"]["of"]["description"] == (
        "Every value is a multiple of this."
    )
    assert schema["$defs"]["Table"]["properties"]["dq_rules"]["description"] == "What each row must satisfy."


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("    of: int\n", "    of int\n", "fleet_rules.py:5: invalid syntax"),
        ('@register("initials")', '@register("multiple")',
         "fleet_rules.py:20: ValueError: there is a 'multiple' already"),
        ('@register("initials")', '@register("trim")', "fleet_rules.py:20: ValueError: there is a 'trim' already"),
        ('@register("initials")', '@register("Initials!")',
         "fleet_rules.py:20: ValueError: 'Initials!' isn't a usable name: small letters, digits and underscores"),
        ("    def change(", "    def changed(",
         "fleet_rules.py:20: TypeError: 'initials' needs a method change(self, value)"),
        ('    """The first letter of each word."""\n', "",
         "fleet_rules.py:20: TypeError: 'initials' needs a docstring: it is its documentation"),
        ("class Initials(UserTransform)", "class Initials(str)",
         "fleet_rules.py:20: TypeError: 'initials' is neither a UserRule nor a UserTransform"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_one_problem_with_its_line(
    fleet: Path, right: str, wrong: str, message: str
) -> None:
    edit(fleet, "fleet_rules.py", right, wrong)

    assert problems(fleet) == [("5:15 E053", message, "see docs/how-to/own-rules.md for one that works")]


def test_a_missing_file_is_told_and_what_it_would_register_is_not(fleet: Path) -> None:
    (fleet / "fleet_rules.py").unlink()

    assert problems(fleet) == [
        (
            "5:15 E053",
            "no file fleet_rules.py beside tables.yaml, and no module 'fleet_rules' that can be imported",
            "see docs/how-to/own-rules.md for one that works",
        )
    ]


def test_two_use_cases_do_not_see_each_others_kinds(fleet: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    text = (fleet / "tables.yaml").read_text(encoding="utf-8")
    (other / "tables.yaml").write_text(text.replace("  extensions: fleet_rules\n", ""), encoding="utf-8")

    load_use_case(fleet / "tables.yaml", {})

    assert [place[-4:] for place, _, _ in problems(other)] == ["E014", "E015"]
