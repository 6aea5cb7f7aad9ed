from typing import Any

import pytest

from fluvial.config.model import UseCase
from fluvial.plan.backtesting import Precision, Trial, edited_rules, plan_trials
from fluvial.plan.configuration import table_document
from fluvial.plan.effects import Effect, TableFacts
from fluvial.plan.table_changes import table_changes
from tests.unit.plan.edits import BASE, MASK, RULE, TRIM

PRESENT = {"id": "plate_present", "type": "not_null", "column": "plate"}
ONCE = {"id": "plate_once", "type": "unique", "column": "plate"}


def vehicles(**fields: Any) -> Any:
    return UseCase.model_validate({**BASE, "tables": [{**BASE["tables"][0], **fields}]}).tables[0]


def test_a_rule_on_a_column_without_transforms_is_tried_exactly() -> None:
    table = vehicles(dq_rules=[RULE], transforms=[])

    assert plan_trials(table, ("plate_known",), None) == (Trial("plate_known", Precision.EXACT),)


def test_a_rule_on_a_transformed_column_is_tried_on_what_the_transform_left() -> None:
    table = vehicles(dq_rules=[RULE], transforms=[TRIM])
    reason = "valid events are judged by plate as it was after trim"

    assert plan_trials(table, ("plate_known",), None) == (Trial("plate_known", Precision.APPROXIMATE, reason),)


def test_a_transform_that_was_there_when_the_events_came_counts_as_well() -> None:
    before = table_document(vehicles(transforms=[TRIM]))
    (trial,) = plan_trials(vehicles(dq_rules=[RULE], transforms=[]), ("plate_known",), before)

    assert trial.precision is Precision.APPROXIMATE


def test_a_masked_column_cant_be_judged_for_anything_but_its_presence() -> None:
    table = vehicles(dq_rules=[RULE, PRESENT], transforms=[MASK])

    assert plan_trials(table, ("plate_known", "plate_present"), None) == (
        Trial("plate_known", Precision.IMPOSSIBLE, "plate is masked: its raw values were never stored"),
        Trial("plate_present", Precision.EXACT),
    )


def test_a_rule_about_a_whole_micro_batch_cant_be_tried() -> None:
    (trial,) = plan_trials(vehicles(dq_rules=[ONCE], transforms=[]), ("plate_once",), None)

    assert trial.precision is Precision.IMPOSSIBLE


@pytest.mark.parametrize(
    ("rules", "edited"),
    [
        ([RULE], ()),
        ([RULE, PRESENT], ("plate_present",)),
        ([{**RULE, "params": {"pattern": "^B"}}], ("plate_known",)),
        ([{**RULE, "severity": "error"}], ()),
    ],
)
def test_the_rules_to_try_are_those_that_arent_what_was_applied(
    rules: list[dict[str, Any]], edited: tuple[str, ...]
) -> None:
    assert edited_rules(vehicles(dq_rules=rules), table_document(vehicles(dq_rules=[RULE]))) == edited


def test_a_rule_on_a_column_that_the_log_holds_under_another_name_cant_be_tried() -> None:
    rename = {"type": "rename", "column": "plate", "params": {"new_name": "licence"}}
    (trial,) = plan_trials(vehicles(dq_rules=[RULE], transforms=[rename]), ("plate_known",), None)

    reason = "the log doesn't hold plate in the source's name and type"
    assert (trial.precision, trial.reason) == (Precision.IMPOSSIBLE, reason)


def test_where_a_filter_leaves_events_out_the_answer_is_approximate() -> None:
    dear = {"type": "filter", "params": {"expression": "{{ price > 10 }}"}}
    table = vehicles(dq_rules=[RULE, PRESENT], transforms=[dear, MASK])
    before = table_document(vehicles(transforms=[dear]))

    assert [trial.precision for trial in plan_trials(table, ("plate_known", "plate_present"), None)] == [
        Precision.IMPOSSIBLE,
        Precision.APPROXIMATE,
    ]
    (trial,) = plan_trials(vehicles(dq_rules=[RULE], transforms=[]), ("plate_known",), before)
    assert (trial.precision, trial.reason[:25]) == (Precision.APPROXIMATE, "events whose row the filt")


def test_a_transform_that_gives_a_stored_column_another_type_is_refused() -> None:
    cast = {"type": "cast", "column": "plate", "params": {"to_type": "int"}}
    before, after = table_document(vehicles(transforms=[])), table_document(vehicles(transforms=[cast]))

    columns: dict[str, Any] = {"old_columns": {"plate": "string"}, "new_columns": {"plate": "int"}}
    stored = table_changes(before, after, TableFacts(log_rows=1, **columns))
    found = {change.place: change.effect for change in stored}
    nothing_stored = table_changes(before, after, TableFacts(**columns))

    assert found["transforms.plate.type"] is Effect.REFUSED
    assert {change.effect for change in nothing_stored} == {Effect.FORWARD}
