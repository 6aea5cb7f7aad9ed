from fluvial.plan.effects import Effect, TableFacts
from fluvial.plan.use_case_changes import use_case_changes

PLACE = "source_database.include_transaction_details"
NOTHING = TableFacts()
STORED = TableFacts(log_rows=3)


def effect_of_details(capture: str, facts: TableFacts) -> Effect:
    """Of turning transaction details on."""
    before = {"source_database": {"capture": capture, "include_transaction_details": False}}
    (change,) = use_case_changes(before, {"source_database": {"capture": capture}}, facts)
    assert change.place == PLACE
    return change.effect


def test_events_of_dms_without_positions_do_not_mix_with_those_that_have_them() -> None:
    assert effect_of_details("dms", STORED) is Effect.REFUSED


def test_without_events_or_with_another_capture_nothing_mixes() -> None:
    assert effect_of_details("dms", NOTHING) is Effect.FORWARD
    assert effect_of_details("debezium", STORED) is Effect.FORWARD
