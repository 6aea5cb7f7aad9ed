import pytest
from pydantic import ValidationError

from fluvial.config.circuit_breaker import CircuitBreaker
from tests.unit.io.lakes import SETTINGS, VEHICLES, use_case_of


@pytest.mark.parametrize(
    ("bad", "events", "is_open"),
    [(0, 0, False), (99, 99, False), (100, 100, True), (100, 200, True), (100, 201, False), (5_000, 10_000, True)],
)
def test_a_breaker_opens_at_its_share_of_bad_events_once_they_are_many(bad: int, events: int, is_open: bool) -> None:
    assert CircuitBreaker(share=0.5).opens(bad, events) is is_open


def test_a_share_of_all_and_a_single_record_will_do() -> None:
    strict = CircuitBreaker(share=1, records=1)
    assert (strict.opens(1, 1), strict.opens(1, 2)) == (True, False)


@pytest.mark.parametrize("wrong", [{"share": 0}, {"share": 1.1}, {"share": 0.5, "records": 0}, {}])
def test_a_share_lies_between_none_and_all(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        CircuitBreaker.model_validate(wrong)


def test_a_table_has_the_breaker_of_the_settings_unless_it_has_its_own_and_there_is_none_unless_one_is_set() -> None:
    own = CircuitBreaker(share=0.1)
    use_case = use_case_of(VEHICLES, {**VEHICLES, "name": "hot", "topic": "hot", "circuit_breaker": own})
    assert "circuit_breaker" not in SETTINGS
    assert [use_case.circuit_breaker(table) for table in use_case.tables] == [None, own]
    common = CircuitBreaker(share=0.9)
    settings = use_case.settings.model_copy(update={"circuit_breaker": common})
    use_case = use_case.model_copy(update={"settings": settings})
    assert [use_case.circuit_breaker(table) for table in use_case.tables] == [common, own]
