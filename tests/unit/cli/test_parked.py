import json
from datetime import UTC, datetime

import pytest

from fluvial.errors import FluvialError
from fluvial.io.parked import BatchId, OffsetRange, Share
from fluvial.io.parking import Parking, read_parked_tables
from fluvial.io.state_files import LocalFiles
from tests.unit.cli.test_explain import fleet, fluvial

__all__ = ["fleet"]

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def parking(fleet: tuple[str, ...]) -> Parking:
    """The parked tables of the fleet's lake."""
    return Parking(LocalFiles(f"{fleet[3]}/s3/checkpoints/fleet/parked"), "main", 100, lambda: 1.0)


def park(parking: Parking) -> None:
    parking.park("vehicles", Share(BatchId("q", 7), 12, (OffsetRange("cdc-vehicles", 0, 5, 17),)), "no way", NOW)


def test_list_says_which_table_waits_and_why(fleet: tuple[str, ...], parking: Parking) -> None:
    park(parking)
    listed = fluvial("parked", "list", *fleet)
    assert (listed.exit_code, listed.stdout) == (
        1,
        "vehicles (lane main) is parked since 2026-01-01T00:00:00+00:00, 12 records wait, "
        "next try 2026-01-01T00:00:02+00:00: no way\n",
    )


def test_list_prints_json(fleet: tuple[str, ...], parking: Parking) -> None:
    park(parking)
    [notice] = json.loads(fluvial("parked", "list", *fleet, "--json").stdout)
    assert (notice["table"], notice["waiting"], notice["error"]) == ("vehicles", 12, "no way")


def test_where_no_table_waits_list_says_so(fleet: tuple[str, ...]) -> None:
    listed = fluvial("parked", "list", *fleet)
    assert (listed.exit_code, listed.stdout) == (0, "no table waits\n")


def test_resume_lets_a_stopped_table_go_on(fleet: tuple[str, ...], parking: Parking) -> None:
    park(parking)
    parking.stop("vehicles", "offsets are gone", NOW)
    resumed = fluvial("parked", "resume", *fleet, "vehicles")
    assert resumed.stdout == "vehicles goes on with the next `fluvial up`; 12 records wait\n"
    assert "is parked since" in fluvial("parked", "list", *fleet).stdout


def test_resume_lets_what_is_bad_pass_only_where_told_to(fleet: tuple[str, ...], parking: Parking) -> None:
    park(parking)
    parking.open_circuit("vehicles", "12 of 12 change events are bad", NOW)
    fluvial("parked", "resume", *fleet, "vehicles")
    [parked] = read_parked_tables(parking.files.folder)
    assert (parked.is_open, parked.accepts_bad) == (False, False)
    parking.open_circuit("vehicles", "12 of 12 change events are bad", NOW)
    fluvial("parked", "resume", *fleet, "vehicles", "--quarantine")
    [parked] = read_parked_tables(parking.files.folder)
    assert (parked.is_open, parked.accepts_bad) == (False, True)


def test_a_table_that_is_not_stopped_can_not_be_resumed(fleet: tuple[str, ...], parking: Parking) -> None:
    park(parking)
    assert isinstance(fluvial("parked", "resume", *fleet, "vehicles").exception, FluvialError)


def test_verify_tells_which_tables_wait(fleet: tuple[str, ...], parking: Parking) -> None:
    park(parking)
    assert "note: vehicles (lane main) is parked" in fluvial("verify", *fleet).stderr
