from pathlib import Path

import pytest

from fluvial.errors import StackError
from fluvial.local.capture_epoch import forget_epoch, next_epoch, remember_epoch
from fluvial.local.home import Home
from tests.unit.io.lakes import LOG_SCHEMA, places_of, use_case_of, write_rows

USE_CASE = use_case_of()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def log(home: Home, *sequences: str) -> None:
    rows = [{"id": 1, "_sequence": sequence} for sequence in sequences]
    write_rows(places_of(USE_CASE, home.lake, "vehicles").log, list(rows), LOG_SCHEMA)


def test_over_an_empty_lake_the_first_capture_has_epoch_zero(home: Home) -> None:
    assert next_epoch(USE_CASE, home) == 0


def test_a_new_capture_over_a_lake_with_events_gets_the_next_epoch(home: Home) -> None:
    log(home, "0000.1.00000000000000FF", "000A.0.0000000000000001")
    assert next_epoch(USE_CASE, home) == 11


def test_an_epoch_that_no_log_has_seen_yet_is_remembered(home: Home) -> None:
    log(home, "0000.1.00000000000000FF")
    remember_epoch(USE_CASE, home, 3)
    assert next_epoch(USE_CASE, home) == 4


def test_once_forgotten_the_next_capture_is_the_first(home: Home) -> None:
    remember_epoch(USE_CASE, home, 3)
    forget_epoch(USE_CASE, home)
    assert next_epoch(USE_CASE, home) == 0


def test_a_damaged_file_is_told(home: Home) -> None:
    remember_epoch(USE_CASE, home, 3)
    (home.run / "capture-fleet.json").write_text("{")
    with pytest.raises(StackError, match=r"capture-fleet\.json doesn't hold the capture's epoch"):
        next_epoch(USE_CASE, home)
