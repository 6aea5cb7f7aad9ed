"""Every kind of edit on a small lake: what the plan tells, and what applying it then did, row for row."""

import copy
import json
import shutil
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from fluvial.config.model import Table, UseCase
from fluvial.errors import PlanError
from fluvial.io.applied import read_applied, read_table_document
from fluvial.io.delta_files import read_snapshot, scan_sql
from fluvial.io.lake import connect
from fluvial.io.parked import BatchId, OffsetRange, ParkedTable, Share, to_json
from fluvial.io.verify import verify_table
from fluvial.local.change_apply import apply_to_lake
from fluvial.local.change_plan import applied_file, make_change_plan
from fluvial.local.home import Home
from fluvial.plan.change_plan import ChangePlan
from fluvial.plan.configuration import table_document
from fluvial.verify.rederive import rederivation_sql
from tests.unit.io.lakes import HISTORY_SCHEMA, LOG_SCHEMA, at, places_of, write_rows
from tests.unit.plan.edits import BASE, EDITS, FORWARD, MASK, METADATA, REFUSED, TRIM, Edit, apply_edit

EVENTS: list[tuple[int, str, str | None, str | None, int, bool]] = [
    (1, "INSERT", "A", "1.0000", 1, False),
    (1, "UPDATE", "A", "2.0000", 2, False),
    (1, "UPDATE", "B", "2.0000", 3, False),
    (2, "INSERT", "C", "3.0000", 4, False),
    (2, "DELETE", "C", "3.0000", 5, False),
    (3, "INSERT", None, None, 6, True),
]


def use_case_of(raw: Mapping[str, Any]) -> UseCase:
    return UseCase.model_validate(raw)


def edited(edit: Edit) -> UseCase:
    return use_case_of(apply_edit(edit))


def changed(**fields: Any) -> UseCase:
    """The base configuration with some fields of its first table replaced."""
    raw = copy.deepcopy(BASE)
    raw["tables"][0].update(fields)
    return use_case_of(raw)


def never(use_case: UseCase, tables: tuple[Table, ...], home: Home) -> Mapping[str, int]:
    raise AssertionError("no history is to be derived again")


def event(
    key: int, operation: str, plate: str | None, price: str | None, position: int, is_gap: bool
) -> dict[str, Any]:
    return {
        "id": key,
        "plate": plate,
        "price": None if price is None else Decimal(price),
        "_sequence": f"0000.1.{position:016X}",
        "_operation": operation,
        "_commit_time": at(position),
        "_is_quarantined": is_gap,
        "_payload_hash": position,
    }


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A lake of six events, settled, with the base configuration applied; for tests that only look."""
    home, fleet = Home(tmp_path_factory.mktemp("base")), use_case_of(BASE)
    places = places_of(fleet, home.lake, "vehicles")
    write_rows(
        places.log, [event(*values) for values in EVENTS], LOG_SCHEMA, configuration={"delta.appendOnly": "true"}
    )
    write_rows(places.history, derive(fleet, home), HISTORY_SCHEMA, partition_by=["_is_current"])
    apply_to_lake(fleet, home, None, never)
    return home


@pytest.fixture
def home(base: Home, tmp_path: Path) -> Home:
    """A copy of it."""
    return Home(Path(shutil.copytree(base.root, tmp_path / "home")))


def derive(fleet: UseCase, home: Home) -> list[dict[str, Any]]:
    connection, log = connect(), read_snapshot(places_of(fleet, home.lake, "vehicles").log)
    assert log is not None
    connection.execute(f"create table log as {scan_sql(connection, log)}")
    found: pa.Table = connection.sql(rederivation_sql(fleet.table("vehicles"), "log")).to_arrow_table()
    return found.to_pylist()


def rows(home: Home) -> list[tuple[Any, ...]]:
    """Every row of the history at its first place, as text."""
    connection, history = connect(), read_snapshot(f"{home.lake}/lake/vehicles")
    assert history is not None
    return sorted(map(repr, connection.sql(scan_sql(connection, history)).fetchall()))


def effect_at(plan: ChangePlan, name: str, place: str) -> str:
    if not name:
        return next(change.effect.value for change in plan.settings if change.place == place)
    found = next(table for table in plan.tables if table.name == name)
    assert place in [change.place for change in found.changes]
    return found.effect.value


def of_effect(*effects: str) -> list[Edit]:
    return [edit for edit in EDITS if edit.effect in effects]


def test_the_fixtures_history_is_what_its_log_says(base: Home) -> None:
    fleet = use_case_of(BASE)

    assert verify_table(fleet, base.lake, fleet.table("vehicles")).is_same


def test_what_is_applied_has_nothing_to_do(base: Home) -> None:
    plan = make_change_plan(use_case_of(BASE), base)

    assert (plan.has_changes, plan.effect.value, plan.tables[0].changes) == (False, "none", ())


@pytest.mark.parametrize("edit", EDITS, ids=[edit.sentence for edit in EDITS])
def test_an_edit_has_the_effect_that_the_plan_tells(base: Home, edit: Edit) -> None:
    plan = make_change_plan(edited(edit), base)

    assert plan.has_changes
    assert effect_at(plan, edit.table, edit.place) == edit.effect


@pytest.mark.parametrize("edit", of_effect(REFUSED), ids=lambda edit: edit.sentence)
def test_a_refused_edit_says_why_and_changes_nothing(home: Home, edit: Edit) -> None:
    before = rows(home)

    with pytest.raises(PlanError, match=edit.place.replace(".", r"\.")):
        apply_to_lake(edited(edit), home, None, never)
    assert rows(home) == before
    assert not make_change_plan(use_case_of(BASE), home).has_changes


@pytest.mark.parametrize("edit", of_effect(FORWARD, METADATA), ids=lambda edit: edit.sentence)
def test_an_edit_that_is_for_the_future_changes_no_row_and_is_applied_once(home: Home, edit: Edit) -> None:
    before, fleet = rows(home), edited(edit)
    predicted = sum(table.rows.rows for table in make_change_plan(fleet, home).tables)
    apply_to_lake(fleet, home, None, never)

    assert (predicted, rows(home)) == (0, before)
    assert not make_change_plan(fleet, home).has_changes


def test_tracking_one_column_tells_the_rows_that_will_change(base: Home) -> None:
    (found, _) = make_change_plan(changed(track_columns=["plate"]), base).tables

    # A@1 goes on until B@3 and shows the newest price; A@2 is no version of its own any more.
    assert (found.rows.inserted, found.rows.deleted, found.rows.updated, found.rows.keys) == (0, 1, 1, 1)
    assert found.rows.bytes == found.facts.bytes > 0


def test_masking_what_is_stored_in_clear_text_warns_with_the_number_of_rows(base: Home) -> None:
    (found, _) = make_change_plan(changed(transforms=[TRIM, MASK]), base).tables
    warning = next(change.warning for change in found.changes if change.place == "masked_columns.plate")

    assert warning.startswith("5 log rows, the history and older files keep plate in clear text")


def test_the_plans_hash_names_what_would_be_done_and_another_is_stale(base: Home) -> None:
    shown = make_change_plan(changed(deequ_checks=[]), base).hash

    with pytest.raises(PlanError, match=f"the plan {shown} is stale"):
        apply_to_lake(changed(dq_rules=[]), base, shown, never)


def test_spelling_out_a_default_reordering_tables_and_comments_are_no_change(base: Home) -> None:
    raw = copy.deepcopy(BASE)
    raw["tables"].reverse()
    raw["settings"]["trigger_interval"] = "10 seconds"
    raw["tables"][1].update(topic="cdc-vehicles", dead_letter_payload="auto")

    assert not make_change_plan(use_case_of(raw), base).has_changes


def test_a_renamed_topic_gets_a_new_checkpoint_and_the_old_one_is_kept(home: Home) -> None:
    checkpoint = home.lake / "checkpoints" / "fleet"
    (checkpoint / "offsets").mkdir(parents=True)
    done = apply_to_lake(changed(topic="fleet.vehicles"), home, None, never)

    assert not checkpoint.exists()
    assert (Path(done.retired_checkpoint) / "offsets").is_dir()


def test_what_is_parked_stays_so_and_a_checkpoint_is_put_aside_however_often(home: Home) -> None:
    checkpoint, names = home.lake / "checkpoints" / "fleet", []
    for topic in ("fleet.vehicles", "cdc-vehicles", "fleet.vehicles", "cdc-vehicles"):
        (checkpoint / "offsets").mkdir(parents=True)
        (checkpoint / "parked").mkdir(exist_ok=True)
        for name in ("vehicles", "gone"):
            (checkpoint / "parked" / f"{name}.json").write_text(to_json(parked(name)))
        names.append(apply_to_lake(changed(topic=topic), home, None, never).retired_checkpoint)

        assert [path.name for path in checkpoint.rglob("*.json")] == ["vehicles.json"]
    assert len({*names}) == 4


def test_while_records_wait_for_a_table_its_topic_keeps_its_name_and_its_removal_warns(home: Home) -> None:
    folder = home.lake / "checkpoints" / "fleet" / "parked"
    folder.mkdir(parents=True)
    share = Share(BatchId("q", 7), 120, (OffsetRange("cdc-vehicles", 0, 0, 120),))
    (folder / "vehicles.json").write_text(to_json(parked("vehicles", share)))
    renamed = make_change_plan(changed(topic="fleet.vehicles"), home)
    assert effect_at(renamed, "vehicles", "topic") == REFUSED
    assert "120 records of the old topic wait to be written" in renamed.tables[0].changes[0].meaning
    raw = copy.deepcopy(BASE)
    del raw["tables"][0]
    removed = next(table for table in make_change_plan(use_case_of(raw), home).tables if table.name == "vehicles")
    assert removed.changes[0].warning == "120 records wait to be written, and won't be"


def parked(table: str, *shares: Share) -> ParkedTable:
    return ParkedTable(table, "main", at(1), "no way", at(1), shares=shares, stop="" if shares else "a gap")


def test_the_applied_configuration_is_in_the_properties_of_log_and_history(base: Home) -> None:
    fleet = use_case_of(BASE)
    places = places_of(fleet, base.lake, "vehicles")

    assert read_table_document(places.log) == read_table_document(places.history) == table_document(fleet.tables[0])


def test_noting_the_configuration_keeps_protocol_properties_and_rows(base: Home) -> None:
    log = DeltaTable(places_of(use_case_of(BASE), base.lake, "vehicles").log)
    first = DeltaTable(log.table_uri, version=0)

    assert log.metadata().id == first.metadata().id
    assert (log.protocol(), log.version()) == (first.protocol(), 1)
    assert log.metadata().configuration["delta.appendOnly"] == "true"
    assert log.file_uris() == first.file_uris()
    assert log.history(1)[0]["userMetadata"].startswith("fluvial.configured=")


def test_a_lost_file_is_found_again_in_the_tables(home: Home) -> None:
    fleet = use_case_of(BASE)
    applied_file("fleet", home).unlink()
    applied = read_applied(fleet, home.lake, applied_file("fleet", home))

    assert applied is not None
    assert applied["tables"] == {"vehicles": table_document(fleet.table("vehicles"))}


def test_a_use_case_that_was_never_applied_is_new(tmp_path: Path) -> None:
    plan = make_change_plan(use_case_of(BASE), Home(tmp_path))

    assert (plan.before, plan.has_changes, plan.refusals) == (None, True, ())


def test_documents_that_change_with_an_edit_are_listed(base: Home) -> None:
    plan = make_change_plan(changed(topic="fleet.vehicles"), base)

    assert {change.document for change in plan.documents} == {
        "debezium/connector.json",
        "dms/table-mappings.json",
        "kafka/topics.json",
        "kafka/acls.json",
        "cloudformation/parameters.json",
        "dags/deploy",
    }


def test_the_plan_as_json_has_the_numbers(base: Home) -> None:
    told = json.loads(json.dumps(make_change_plan(changed(track_columns=["plate"]), base).as_json()))

    assert told["effect"] == "history re-derived"
    assert told["tables"][0]["history_rows"]["total"] == 2
    assert told["tables"][0]["changes"][0]["after"] == ["plate"]
