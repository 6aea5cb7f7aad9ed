"""healthcare-iot on everything real but Airflow: what a ward writes becomes history, and whom it names stays behind."""

import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from fluvial.cli.app import app
from fluvial.plan.steps import plan_deployment, plan_teardown
from tests.end_to_end.conftest import Stack
from tests.end_to_end.pipeline import Pipeline, deploy_config
from tests.unit.use_cases.shipped import queries_of

pytestmark = [pytest.mark.stack, pytest.mark.slow]

HIDDEN = ("medical_record_number", "first_name", "last_name", "email", "phone", "notes")
NOT_COMPARED = "birth_date, email, medical_record_number, postcode"


@pytest.fixture(scope="module")
def ward(stack: Stack, pytestconfig: pytest.Config) -> Iterator[Pipeline]:
    """Deployed, filled and changed for a while."""
    deployed = Pipeline(stack, *deploy_config(pytestconfig.rootpath, "healthcare-iot"))
    try:
        deployed.run(plan_deployment(deployed.use_case))
        deployed.generate(mode="seed")
        deployed.generate(mode="burst", rows="300", seed="7")
        deployed.catch_up()
        yield deployed
    finally:
        deployed.run(plan_teardown(deployed.use_case))


def verdicts(ward: Pipeline, *options: str) -> list[str]:
    """What `fluvial verify` prints, without its counts."""
    done = CliRunner().invoke(app, ["verify", "--config", ward.config, "--home", str(ward.home.root), *options])
    assert done.exit_code == 0, done.output
    return re.sub(r"\d[\d,]* (rows of the source as of \w+|keys|versions|log rows)", r"N \1", done.stdout).splitlines()


def personal_values(ward: Pipeline) -> set[str]:
    """Everything that the hidden columns of a patient ever held in PostgreSQL."""
    events = [event for event in ward.records()["patients"] if event is not None]
    images = [image for event in events for image in (event["before"], event["after"]) if image is not None]
    return {str(image[name]) for image in images for name in HIDDEN if image[name] is not None}


def written_below(folder: Path) -> str:
    """The bytes of every file, and the cells of those that are compressed."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    cells = [str(pq.read_table(path).to_pylist()) for path in files if path.suffix == ".parquet"]
    return "\n".join((*(path.read_bytes().decode("latin-1") for path in files), *cells))


def words_in(text: str, values: set[str]) -> list[str]:
    """The values that stand in a text by themselves: names are found inside of other words."""
    seen = sorted(value for value in values if value in text)
    return [value for value in seen if re.search(rf"(?<!\w){re.escape(value)}(?!\w)", text)]


def test_patients_and_their_vitals_have_a_history(ward: Pipeline) -> None:
    assert ward.logged() == +ward.written
    closed = {table: ward.count(table, "not _is_current") > 0 for table in ward.tables}
    current = {table: ward.count(f"{table}__current") > 0 for table in ward.tables}
    assert (closed, current) == ({"patients": True, "vitals": True}, {"patients": True, "vitals": True})


def test_readings_outside_of_the_clinical_ranges_are_in_quarantine_and_nowhere_else(ward: Pipeline) -> None:
    impossible = "heart_rate_bpm not between 20 and 250 or spo2_pct not between 50 and 100 or temperature_c > 43"
    assert ward.count("vitals__quarantine", impossible) > 0
    assert ward.count("vitals", impossible) == 0


def test_the_history_is_what_the_log_says(ward: Pipeline) -> None:
    assert verdicts(ward) == [
        "patients: 0 differences (N versions from N log rows)",
        "vitals: 0 differences (N versions from N log rows)",
    ]


def test_the_current_rows_are_those_of_the_source_as_far_as_they_can_be_compared(ward: Pipeline) -> None:
    assert [re.sub(r" \(.*?(, not compared: .*)?\)", r"\1", line) for line in verdicts(ward, "--source")] == [
        f"patients: 0 differences, not compared: {NOT_COMPARED}",
        "vitals: 0 differences",
    ]


@pytest.mark.parametrize("name", queries_of("healthcare-iot"))
def test_an_analytics_query_finds_something(ward: Pipeline, name: str) -> None:
    assert ward.query(queries_of("healthcare-iot")[name]) != []


def test_what_names_a_patient_stands_in_no_file_of_the_lake(ward: Pipeline) -> None:
    values, written = personal_values(ward), written_below(ward.home.lake)
    assert len(values) > 200
    assert "CARDIOLOGY" in written
    assert words_in(written, values) == []


def test_no_log_tells_a_number_an_address_or_a_note_of_a_patient(ward: Pipeline) -> None:
    values, written = personal_values(ward), written_below(ward.home.logs)
    assert "healthcare_iot" in written
    assert words_in(written, {value for value in values if re.search(r"[\d@ ]", value)}) == []
