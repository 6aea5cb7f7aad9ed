"""Files that no honest author writes: refused at once, in bounded time and memory."""

import time
from pathlib import Path

import pytest

from fluvial.config.load import load_use_case
from fluvial.errors import ConfigError, Problem

LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 10)
)


def refused(path: Path) -> Problem:
    with pytest.raises(ConfigError) as caught:
        load_use_case(path, {})
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize(
    ("text", "place", "code", "message"),
    [
        (LAUGHS, (6, 10), "E003", "refused: more than 100,000 values once aliases are written out"),
        ("a: &a [1]\nb: [" + ", ".join(["*a"] * 101) + "]\n", (2, 405), "E003", "refused: more than 100 aliases"),
        ("a: &a [*a]\n", (1, 8), "E003", "refused: alias *a without an anchor before it"),
        ("a: " + "[" * 5_000, (1, 33), "E003", "refused: nested deeper than 30 levels"),
        ("settings: !!python/object/apply:os.system ['true']\n", (1, 11), "E003",
         "refused: YAML tag tag:yaml.org,2002:python/object/apply:os.system"),
        ("settings: !!str 5\n", (1, 11), "E003", "refused: YAML tag tag:yaml.org,2002:str"),
        ("? [a, b]\n: 1\n", (1, 3), "E003", "refused: a key that isn't plain text"),
        ("a: 1\n---\nb: 2\n", (2, 1), "E003", "refused: more than one YAML document in the file"),
        ('a: "\\0"\n', (1, 4), "E003", "refused: a NUL or half a surrogate pair"),
        ("a: [1\nb: 2\n", (2, 2), "E002", "not YAML: did not find expected ',' or ']'"),
        ("a:\n\tb: 1\n", (2, 1), "E002", "not YAML: found character that cannot start any token"),
        ("a: b: c\n", (1, 5), "E002", "not YAML: mapping values are not allowed in this context"),
        ("a: {x: ${Y}}\n", (1, 9), "E002", "not YAML: did not find expected ',' or '}'"),
        ("", (1, 1), "E005", "the file is empty"),
        ("# nothing\n", (1, 1), "E005", "the file is empty"),
        ("---\n", (2, 1), "E005", "the file is empty"),
        ("- a\n", (1, 1), "E005", "expected keys, found a list"),
        ("just text\n", (1, 1), "E005", "expected keys, found 'just text'"),
    ],
)  # fmt: skip
def test_it_is_refused_at_its_place(tmp_path: Path, text: str, place: tuple[int, int], code: str, message: str) -> None:
    path = tmp_path / "tables.yaml"
    path.write_text(text)

    problem = refused(path)

    assert ((problem.line, problem.column), problem.code, problem.message) == (place, code, message)
    assert problem.hint


def test_a_file_of_more_than_a_mebibyte_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tables.yaml"
    path.write_text("#" * (1 << 20) + "\n")

    assert str(refused(path)) == f"{path} E001 larger than 1024 KiB\n  -> split it into several use cases"


def test_a_text_in_another_encoding_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "tables.yaml"
    path.write_bytes("settings:\n  # größe\n".encode("latin-1"))

    assert str(refused(path)) == f"{path}:2 E001 not UTF-8 text\n  -> save the file as UTF-8"


def test_a_byte_order_mark_is_no_problem(tmp_path: Path) -> None:
    path = tmp_path / "tables.yaml"
    path.write_bytes(b"\xef\xbb\xbf- a\n")

    assert refused(path).code == "E005"


def test_a_missing_file_is_told_without_a_line(tmp_path: Path) -> None:
    path = tmp_path / "tables.yaml"

    assert str(refused(path)) == f"{path} E001 no such file or directory\n  -> check the path and its permissions"


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    assert refused(tmp_path).message == "is a directory"


def test_refusing_takes_no_time_worth_mentioning(tmp_path: Path) -> None:
    path = tmp_path / "tables.yaml"
    path.write_text("a: " + "[" * 1_000_000)

    before = time.process_time()
    refused(path)

    assert time.process_time() - before < 1
