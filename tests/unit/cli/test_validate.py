"""`fluvial validate`: every problem with its place, and an exit status a script can use."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fluvial.cli.app import app
from tests.unit.config.samples import SHOP

runner = CliRunner()


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write("shop", SHOP)
    return tmp_path


def write(use_case: str, text: str) -> None:
    folder = Path("config") / use_case
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tables.yaml").write_text(text)


def test_a_right_file_has_no_problems() -> None:
    result = runner.invoke(app, ["validate", "config/shop/tables.yaml"])

    assert (result.exit_code, result.output) == (0, "shop: every table exact\n1 file: no problems\n")


def test_every_problem_is_one_line_with_a_way_out_below() -> None:
    write("shop", SHOP.replace("SASL_SSL", "SASL_SLL").replace("severity: error", "severity: fatal", 1))

    result = runner.invoke(app, ["validate", "shop"])

    assert result.exit_code == 1
    assert result.output == (
        "config/shop/tables.yaml:8:22 E013 'security_protocol' can't be 'SASL_SLL'\n"
        "     8 |   security_protocol: SASL_SLL\n"
        "                              ^^^^^^^^\n"
        "  expected one of SASL_SSL, SSL, PLAINTEXT, SASL_PLAINTEXT\n"
        "  -> did you mean 'SASL_SSL'?\n"
        "config/shop/tables.yaml:26:93 E013 'severity' can't be 'fatal'\n"
        "    26 |       - {id: total_range, type: range, column: total, params: {min: 0, max: 100}, severity: fatal}\n"
        f"{' ' * 101}^^^^^\n"
        "  -> known: error, warning\n"
        "1 file: 2 problems\n"
    )


def test_without_arguments_every_use_case_is_checked() -> None:
    write("clinic", "")

    result = runner.invoke(app, ["validate"])

    assert result.exit_code == 1
    assert result.output.splitlines()[0] == "config/clinic/tables.yaml:1:1 E005 the file is empty"
    assert result.output.splitlines()[-1] == "2 files: 1 problem"


def test_several_targets_are_checked_even_where_one_is_missing() -> None:
    result = runner.invoke(app, ["validate", "shopp", "shop"])

    assert result.exit_code == 1
    assert result.output == (
        "shopp E001 no such use case or file\n  -> did you mean 'shop'?\n2 files: 1 problem\n"
    )  # fmt: skip


def test_json_holds_the_same_problems() -> None:
    write("shop", SHOP.replace("engine: postgres", "engine: postgrs"))

    result = runner.invoke(app, ["validate", "--format", "json"])

    assert result.exit_code == 1
    assert json.loads(result.output) == {
        "valid": False,
        "files": 1,
        "problems": [
            {
                "file": "config/shop/tables.yaml",
                "line": 12,
                "column": 11,
                "code": "E013",
                "level": "error",
                "message": "'engine' can't be 'postgrs'",
                "hint": "did you mean 'postgres'?",
                "expected": "one of postgres, postgresql",
                "found": "'postgrs'",
                "source": "  engine: postgrs",
                "length": 7,
            }
        ],
        "guarantees": [],
    }


def test_json_of_a_right_file_says_valid() -> None:
    assert json.loads(runner.invoke(app, ["validate", "shop", "--format", "json"]).output) == {
        "valid": True,
        "files": 1,
        "problems": [],
        "guarantees": [
            {"use_case": "shop", "table": "orders", "level": "exact", "reasons": [], "fixes": []},
            {"use_case": "shop", "table": "buyers", "level": "exact", "reasons": [], "fixes": []},
        ],
    }


def test_an_unknown_format_is_a_usage_error() -> None:
    # In a process of its own: a usage error leaves references behind, and then duckdb complains when pytest ends.
    command = [sys.executable, "-m", "fluvial.cli.app", "validate", "--format", "yaml"]

    assert subprocess.run(command, check=False, capture_output=True).returncode == 2


def test_a_warning_leaves_the_exit_status_alone() -> None:
    write("shop", SHOP.replace("security_protocol: SASL_SSL", "security_protocol: PLAINTEXT"))

    result = runner.invoke(app, ["validate", "shop"])

    assert (result.exit_code, result.output.splitlines()[-1]) == (0, "1 file: 1 warning")


def test_a_strict_reader_takes_a_warning_for_a_problem() -> None:
    write("shop", SHOP.replace("security_protocol: SASL_SSL", "security_protocol: PLAINTEXT"))

    assert runner.invoke(app, ["validate", "shop", "--strict"]).exit_code == 1


def test_values_can_move_no_cursor() -> None:
    write("shop", SHOP.replace("type: range", 'type: "\\e[2Jrange\\u202e"'))

    output = runner.invoke(app, ["validate", "shop"]).output

    assert "unknown rule '\\x1b[2Jrange\\u202e'" in output
    assert not {"\x1b", "\u202e"} & set(output)
