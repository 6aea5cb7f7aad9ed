"""The same problems for people, programs, GitHub and scanners."""

import json

import jsonschema
import pytest

from fluvial.cli.problem_report import Report, ReportFormat, render_report
from fluvial.errors import Problem

# What the published schema of SARIF 2.1.0 demands of the parts that are used here.
TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
REGION = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "startLine": {"type": "integer", "minimum": 1},
        "startColumn": {"type": "integer", "minimum": 1},
        "endColumn": {"type": "integer", "minimum": 1},
        "snippet": TEXT,
    },
}
LOCATION = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "physicalLocation": {
            "type": "object",
            "required": ["artifactLocation"],
            "additionalProperties": False,
            "properties": {
                "artifactLocation": {"type": "object", "properties": {"uri": {"type": "string"}}},
                "region": REGION,
            },
        }
    },
}
RESULT = {
    "type": "object",
    "required": ["message"],
    "additionalProperties": False,
    "properties": {
        "ruleId": {"type": "string"},
        "ruleIndex": {"type": "integer", "minimum": -1},
        "level": {"enum": ["none", "note", "warning", "error"]},
        "message": TEXT,
        "locations": {"type": "array", "items": LOCATION},
    },
}
RULE = {
    "type": "object",
    "required": ["id"],
    "additionalProperties": False,
    "properties": {"id": {"type": "string"}, "name": {"type": "string"}, "shortDescription": TEXT},
}
DRIVER = {
    "type": "object",
    "required": ["name"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string"},
        "version": {"type": "string"},
        "rules": {"type": "array", "uniqueItems": True, "items": RULE},
    },
}
RUN = {
    "type": "object",
    "required": ["tool"],
    "additionalProperties": False,
    "properties": {
        "tool": {"type": "object", "required": ["driver"], "properties": {"driver": DRIVER}},
        "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
        "results": {"type": "array", "items": RESULT},
    },
}
SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"enum": ["2.1.0"]},
        "runs": {"type": "array", "items": RUN},
    },
}

ERROR = Problem(
    "config/a b/tables.yaml", 3, 9, "E014", "unknown rule 'rnage'", "did you mean 'range'?",
    "one of range, regex", "'rnage'", "  type: rnage", 5,
)  # fmt: skip
WARNING = Problem("config/a b/tables.yaml", 4, 1, "W001", "100% the same:\nrule a, rule b")
UNREADABLE = Problem("gone.yaml", 0, 0, "E001", "no such file or directory", "check the path")


def test_text_has_the_line_a_caret_under_what_is_meant_and_a_way_out() -> None:
    assert render_report(Report(1, [ERROR]), ReportFormat.TEXT).splitlines() == [
        "\x1b[1mconfig/a b/tables.yaml:3:9\x1b[0m \x1b[31mE014\x1b[0m unknown rule 'rnage'",
        "     3 |   type: rnage",
        "                 ^^^^^",
        "  expected one of range, regex",
        "  -> did you mean 'range'?",
        "1 file: 1 problem",
    ]


def test_a_problem_of_the_whole_file_has_no_line() -> None:
    assert render_report(Report(1, [UNREADABLE]), ReportFormat.TEXT).splitlines() == [
        "\x1b[1mgone.yaml\x1b[0m \x1b[31mE001\x1b[0m no such file or directory",
        "  -> check the path",
        "1 file: 1 problem",
    ]


@pytest.mark.parametrize(("column", "shown", "caret"), [(1, "key" + "x" * 107, 9), (946, "x" * 55 + "key", 64)])
def test_a_long_line_is_cut_around_its_problem(column: int, shown: str, caret: int) -> None:
    source = "key" + "x" * 942 + "key"
    problem = Problem("a.yaml", 1, column, "E010", "unknown key", source=source, length=3)

    _, line, carets, _ = render_report(Report(1, [problem]), ReportFormat.TEXT).splitlines()

    assert (line, carets) == (f"     1 | {shown}", " " * caret + "^^^")


def test_warnings_are_counted_apart() -> None:
    assert render_report(Report(2, [ERROR, WARNING]), ReportFormat.TEXT).splitlines()[-1] == (
        "2 files: 1 problem, 1 warning"
    )  # fmt: skip


def test_github_gets_one_escaped_command_for_each_problem() -> None:
    assert render_report(Report(2, [ERROR, WARNING, UNREADABLE]), ReportFormat.GITHUB).splitlines() == [
        "::error file=config/a b/tables.yaml,title=E014 unknown rule 'rnage',line=3,endLine=3,col=9,endColumn=14"
        "::unknown rule 'rnage'%0Adid you mean 'range'?",
        "::warning file=config/a b/tables.yaml,title=W001 100%25 the same%3A%0Arule a%2C rule b,line=4,endLine=4,col=1,"
        "endColumn=2::100%25 the same:%0Arule a, rule b",
        "::error file=gone.yaml,title=E001 no such file or directory::no such file or directory%0Acheck the path",
        "2 files: 2 problems, 1 warning",
    ]


def test_sarif_is_what_its_schema_demands() -> None:
    log = json.loads(render_report(Report(2, [ERROR, WARNING, UNREADABLE]), ReportFormat.SARIF))

    jsonschema.validate(log, SARIF)
    assert log["runs"][0]["results"][0] == {
        "ruleId": "E014",
        "ruleIndex": 1,
        "level": "error",
        "message": {"text": "unknown rule 'rnage'\ndid you mean 'range'?"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "config/a%20b/tables.yaml"},
                    "region": {
                        "startLine": 3,
                        "startColumn": 9,
                        "endColumn": 14,
                        "snippet": {"text": "  type: rnage"},
                    },
                }
            }
        ],
    }


def test_sarif_describes_each_code_once() -> None:
    log = json.loads(render_report(Report(1, [ERROR, ERROR]), ReportFormat.SARIF))

    assert log["runs"][0]["tool"]["driver"]["rules"] == [
        {"id": "E014", "name": "UnknownRule", "shortDescription": {"text": "unknown rule"}}
    ]


def test_sarif_of_nothing_has_no_results() -> None:
    log = json.loads(render_report(Report(1, []), ReportFormat.SARIF))

    jsonschema.validate(log, SARIF)
    assert log["runs"][0]["results"] == []
