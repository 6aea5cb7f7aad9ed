import json

import pytest

from fluvial.errors import StorageError
from fluvial.io.commits import Commit, Walk, batch_note
from fluvial.io.foreign_changes import Watched, refuse_other_log

LOG = Watched("vehicles", "log", "/lake/vehicles__log", {"id": "long", "plate": "string", "tags": {"type": "array"}})
HISTORY = Watched("vehicles", "history", "/lake/vehicles", {"id": "long", "plate": "string"})
THEIRS = Commit(7, "DELETE", "", "ann", None, changes_data=True)
OURS = Commit(8, "WRITE", batch_note("q", 1), "Spark", None, changes_data=True)


def refusal(watched: Watched, *commits: Commit) -> StorageError:
    with pytest.raises(StorageError) as caught:
        watched.refuse_foreign(Walk(commits, 6))
    return caught.value


def schema(**types: object) -> str:
    fields = [{"name": name, "type": kind, "nullable": True, "metadata": {}} for name, kind in types.items()]
    return json.dumps({"type": "struct", "fields": fields})


def test_a_changed_log_can_be_restored_or_taken_as_it_is() -> None:
    error = refusal(LOG, THEIRS)
    assert error.message == "vehicles: its log was changed by something else: version 7 is a DELETE by ann"
    assert error.hint == (
        "undo it: RESTORE TABLE delta.`/lake/vehicles__log` TO VERSION AS OF 6; "
        "or take the log as it is now: `fluvial rebuild vehicles`"
    )


def test_a_changed_history_can_be_derived_again_too() -> None:
    assert refusal(HISTORY, THEIRS).hint == (
        "undo it: RESTORE TABLE delta.`/lake/vehicles` TO VERSION AS OF 6; "
        "or derive the history from the log again: `fluvial rebuild vehicles`; "
        "`fluvial verify vehicles` lists what differs"
    )


def test_nobody_is_told_to_undo_what_fluvial_wrote_since() -> None:
    assert "RESTORE" not in refusal(LOG, OURS, THEIRS).hint


def test_of_several_foreign_changes_the_first_is_named() -> None:
    later = Commit(9, "UPDATE", "", "", None, changes_data=True)
    assert "version 7 is a DELETE" in refusal(HISTORY, later, THEIRS).message


def test_a_column_of_another_type_is_named_with_both_types() -> None:
    with pytest.raises(StorageError) as caught:
        LOG.refuse_schema(schema(id="long", plate="integer", tags="string"))
    assert caught.value.message == (
        "vehicles: column plate of its log is integer, tables.yaml makes it string: /lake/vehicles__log"
    )
    assert caught.value.hint == "give it its old type again, there or in tables.yaml"


@pytest.mark.parametrize(
    "found", [schema(ID="long", plate="string"), schema(id="long"), schema(id="long", more="date")]
)
def test_a_schema_that_lacks_a_column_or_has_one_more_is_no_damage(found: str) -> None:
    LOG.refuse_schema(found)


def test_a_restore_that_took_events_back_is_refused() -> None:
    restore = Commit(9, "RESTORE", "", "ann", None, changes_data=True, restored=6)
    with pytest.raises(StorageError) as caught:
        LOG.refuse_undone(restore, [OURS, THEIRS])
    assert caught.value.message == (
        "vehicles: its log lacks events that Fluvial wrote: version 9 is a RESTORE by ann, "
        "which went back behind version 8"
    )


def test_a_restore_that_took_back_what_others_did_is_welcome() -> None:
    LOG.refuse_undone(Commit(9, "RESTORE", "", "ann", None, changes_data=True, restored=6), [THEIRS])


@pytest.mark.parametrize(
    ("found", "what", "way_out"),
    [
        (None, "is gone", "move the history away and delete the checkpoint: all is read again"),
        ("new", "isn't the one that it was settled from", "`fluvial rebuild vehicles`"),
    ],
)
def test_a_history_is_never_settled_from_another_log(found: str | None, what: str, way_out: str) -> None:
    with pytest.raises(StorageError) as caught:
        refuse_other_log(LOG, "old", found)
    assert caught.value.message == f"vehicles: there is a history, but its log {what}: /lake/vehicles__log"
    assert caught.value.hint.startswith("put the log with the id old back from a copy; or ")
    assert caught.value.hint.endswith(way_out)


def test_the_log_that_the_history_was_settled_from_is_welcome() -> None:
    refuse_other_log(LOG, "old", "old")
