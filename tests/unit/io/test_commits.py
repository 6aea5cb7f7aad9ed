"""Commit files as Spark's Delta writes them, shortened."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from fluvial.io.commits import Commit, Settled, batch_note, is_foreign, parse_commit, undone, walk_back


def info(operation: str, note: str | None = None, **more: Any) -> dict[str, Any]:
    said = {"userMetadata": note} if note else {}
    return {
        "commitInfo": {"timestamp": 1_767_225_600_000, "operation": operation, "engineInfo": "Spark", **said, **more}
    }


def add(rows: int, size: int, *, changes: bool = True) -> dict[str, Any]:
    stats = json.dumps({"numRecords": rows})
    return {"add": {"path": "a.parquet", "size": size, "dataChange": changes, "stats": stats}}


def remove(*, changes: bool = True) -> dict[str, Any]:
    return {"remove": {"path": "a.parquet", "dataChange": changes}}


def schema(*names: str) -> dict[str, Any]:
    fields = [{"name": name, "type": "long", "nullable": True, "metadata": {}} for name in names]
    return {"metaData": {"id": "t", "schemaString": json.dumps({"type": "struct", "fields": fields})}}


def commit(version: int, *actions: dict[str, Any]) -> Commit:
    return parse_commit(version, "\n".join(map(json.dumps, actions)))


def restore(version: int, to: Any) -> Commit:
    return commit(version, info("RESTORE", operationParameters={"version": to}), remove())


def walk(*commits: Commit, known: int = -1) -> tuple[list[int], int]:
    by_version = {each.version: each for each in commits}
    found = walk_back(by_version.get, max(by_version), known)
    return [each.version for each in found.commits], found.end


def test_a_commit_tells_what_it_did_who_made_it_when_and_how_much_it_added() -> None:
    found = commit(7, info("WRITE", batch_note("q", 3)), add(10, 500), add(5, 300))
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    assert found == Commit(7, "WRITE", "fluvial.batch=q@3", "Spark", moment, changes_data=True, rows=15, bytes=800)
    assert str(found) == "version 7 is a WRITE by Spark at 2026-01-01 00:00:00 UTC"


def test_a_text_in_a_commit_may_hold_what_ends_a_line_elsewhere() -> None:
    added = add(1, 9)
    added["add"]["stats"] = json.dumps({"numRecords": 1, "maxValues": {"a": "x\u2028y\x85z"}}, ensure_ascii=False)
    found = parse_commit(7, "\n".join(json.dumps(each, ensure_ascii=False) for each in (info("WRITE"), added)))
    assert (found.rows, found.bytes) == (1, 9)


def test_files_that_only_lie_differently_bring_no_row() -> None:
    found = commit(7, info("OPTIMIZE"), add(10, 500, changes=False), remove(changes=False))
    assert (found.changes_data, found.rows, found.bytes) == (False, 0, 0)


@pytest.mark.parametrize("settled", [Settled("log-1", 12), Settled("log@1", 0, is_rebuilt=True)])
def test_a_settle_is_read_as_it_was_noted(settled: Settled) -> None:
    assert commit(7, info("MERGE", settled.note)).settled == settled


@pytest.mark.parametrize("note", [None, "fluvial.batch=q@3", "nightly job", "fluvial.settledLogVersion=broken"])
def test_other_notes_tell_of_no_settle(note: str | None) -> None:
    assert commit(7, info("MERGE", note)).settled is None


@pytest.mark.parametrize(
    "ours_or_harmless",
    [
        commit(1, info("MERGE", "fluvial.settledLogVersion=t@1"), remove()),
        commit(1, info("OPTIMIZE"), add(1, 1, changes=False), remove(changes=False)),
        commit(1, info("VACUUM END")),
        commit(1, info("SET TBLPROPERTIES"), schema("id", "a")),
        commit(1, info("ADD COLUMNS"), schema("id", "a", "theirs")),
        commit(1, info("DROP COLUMNS"), schema("ID", "a")),
        restore(1, 0),
    ],
)
def test_our_commits_and_harmless_ones_are_no_foreign_changes(ours_or_harmless: Commit) -> None:
    assert not is_foreign(ours_or_harmless, ("id", "a"))


@pytest.mark.parametrize(
    "foreign",
    [
        commit(1, info("DELETE"), remove()),
        commit(1, info("WRITE"), add(1, 1)),
        commit(1, info("MERGE", "nightly job"), add(1, 1), remove()),
        commit(1, info("DROP COLUMNS"), schema("id")),
        commit(1, info("RENAME COLUMN"), schema("id", "b")),
        restore(1, None),
    ],
)
def test_what_changes_data_or_takes_a_column_away_is_foreign(foreign: Commit) -> None:
    assert is_foreign(foreign, ("id", "a"))


WRITES = tuple(commit(version, info("WRITE", "fluvial.batch=q@1"), add(1, 1)) for version in range(5))
SETTLE = commit(2, info("MERGE", "fluvial.settledLogVersion=t@9"), add(1, 1))
REBUILD = commit(3, info("WRITE", "fluvial.rebuiltFromLogVersion=t@9"), add(1, 1))


def test_a_walk_goes_back_to_the_version_that_is_known() -> None:
    assert walk(*WRITES, known=2) == ([4, 3], 2)


def test_without_a_known_version_a_walk_ends_at_the_newest_settle() -> None:
    assert walk(*WRITES[:2], SETTLE, *WRITES[3:]) == ([4, 3, 2], 1)


def test_a_settle_hides_nothing_between_it_and_the_known_version() -> None:
    assert walk(*WRITES[:2], SETTLE, *WRITES[3:], known=0) == ([4, 3, 2, 1], 0)


def test_nothing_from_before_a_rebuild_is_looked_at() -> None:
    assert walk(*WRITES[:3], REBUILD, WRITES[4], known=0) == ([4, 3], 2)


def test_what_a_restore_undid_is_passed_by() -> None:
    assert walk(*WRITES, restore(5, 2), known=2) == ([5], 2)


def test_a_restore_behind_the_known_version_leads_to_the_settle_before_it() -> None:
    assert walk(*WRITES[:2], SETTLE, *WRITES[3:], restore(5, "2"), known=4) == ([5, 2], 1)


def test_a_walk_ends_where_commits_are_cleaned_up() -> None:
    assert walk(*WRITES[3:]) == ([4, 3], 2)


def test_a_restore_tells_what_it_took_back() -> None:
    by_version = {each.version: each for each in WRITES}
    assert [each.version for each in undone(by_version.get, restore(5, 2))] == [4, 3]
