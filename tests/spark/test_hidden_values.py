"""What names a person stands nowhere: not in log and quarantine, not in plans."""

import hmac
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from fluvial.config.locations import Locations
from fluvial.config.model import Table, UseCase
from fluvial.io.lake_writer import LakeWriter
from fluvial.io.quarantine_replay import QuarantineReplayer
from fluvial.io.repairs_file import Repair
from fluvial.io.replay_selection import Selection
from fluvial.local.home import Home
from fluvial.local.secrets import provide_secrets
from fluvial.transforms.hide import key_uses
from tests.spark.placing import place, rows
from tests.spark.records import TINY, debezium, records
from tests.unit.use_cases.shipped import load_shipped

CANARY = "canary-4711-canary-4711-canary-4711-canary"
PATIENTS = {
    "name": "patients",
    "primary_key": "id",
    "schema": [
        {"name": "id", "type": "integer"},
        {"name": "ssn", "type": "string"},
        {"name": "number", "type": "bigint"},
        {"name": "phone", "type": "string"},
        {"name": "born", "type": "date"},
        {"name": "seen", "type": "timestamp"},
        {"name": "age", "type": "integer"},
        {"name": "height", "type": "decimal(5,2)"},
        {"name": "postcode", "type": "string"},
        {"name": "diary", "type": "string"},
    ],
    "dq_rules": [{"id": "age_range", "type": "range", "column": "age", "params": {"max": 130}}],
    "transforms": [
        {"type": "tokenize", "column": "ssn", "params": {"key": "env:TEST_KEY", "domain": "person"}},
        {"type": "tokenize", "column": "number", "params": {"key": "env:TEST_KEY"}},
        {"type": "encrypt", "column": "phone", "params": {"key": "env:TEST_KEY"}},
        {"type": "generalize", "column": "born", "params": {"to": "year"}},
        {"type": "generalize", "column": "seen", "params": {"to": "month"}},
        {"type": "generalize", "column": "age", "params": {"band": 10}},
        {"type": "generalize", "column": "height", "params": {"band": 2.5}},
        {"type": "generalize", "column": "postcode", "params": {"prefix": 3}},
        {"type": "drop", "column": "diary"},
    ],
}
ANN = {
    "id": 1, "ssn": "123-45", "number": 77, "phone": "+49 30 1", "born": "1987-06-05", "seen": "2026-03-04T05:06:07Z",
    "age": 38, "height": "171.30", "postcode": "10115", "diary": "dear diary",
}  # fmt: skip


def token(purpose: str, text: str) -> str:
    def mac(key: bytes, message: str) -> bytes:
        return hmac.new(key, message.encode(), "sha256").digest()

    key_id = mac(CANARY.encode(), "fluvial key id").hex()[:8]
    return f"tok_{key_id}_{mac(mac(CANARY.encode(), f'fluvial {purpose}'), text).hex()}"


def test_what_names_a_person_is_hidden_before_anything_is_written_quarantine_included(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", CANARY)
    patients = Table.model_validate(PATIENTS)
    use_case = UseCase(**dict(UseCase.model_validate(TINY)) | {"tables": (patients,)})
    writer = LakeWriter(spark, use_case, Locations(use_case, tmp_path), "query-1")
    stored = token("tokenize person", "123-45")
    batch = [
        debezium("c", 5, ANN),
        debezium("c", 6, ANN | {"id": 2, "ssn": stored, "number": None, "phone": None, "age": -1}),
        debezium("c", 7, ANN | {"id": 3, "age": 200, "passport": "P-4711-C"}),
    ]
    writer.write(records(spark, batch, topic="cdc-patients"), 0)
    places = Locations(use_case, tmp_path).table(patients)

    log = spark.read.format("delta").load(places.log)
    hidden = rows(log, "ssn", "number", F.col("born").cast("string"), F.col("seen").cast("string"), "age",
                  F.col("height").cast("string"), "postcode")  # fmt: skip
    ann = (stored, token("tokenize number", "77"), "1987-01-01", "2026-03-01 00:00:00", 30, "170.00", "101")
    assert hidden == [
        ann,
        (token("tokenize person", stored), None, "1987-01-01", "2026-03-01 00:00:00", -10, "170.00", "101"),
        (None,) * 7,
    ]
    assert "diary" not in log.columns
    phone = log.orderBy("_offset").select("phone").first()
    assert phone is not None
    key = hmac.new(CANARY.encode(), b"fluvial encrypt phone cipher", "sha256").digest()
    sealed, mode, padding = F.unbase64(F.lit(phone[0].split("_")[2])), F.lit("GCM"), F.lit("DEFAULT")
    opened = spark.range(1).select(F.aes_decrypt(sealed, F.lit(key), mode, padding, F.lit("phone"))).first()
    assert opened is not None
    assert bytes(opened[0]) == b"+49 30 1"

    quarantine = spark.read.format("delta").load(places.quarantine)
    assert rows(quarantine, "ssn", "number", "age", "diary", "_after_image.number", "_after_image.diary") == [
        (stored, None, 200, None, token("tokenize number", "77"), None)
    ]
    replayer = QuarantineReplayer(spark, patients, Locations(use_case, tmp_path), "ann")
    replayer.replay(Selection(repairs=(Repair(f"0000.1.{7:016X}", {"id": "3"}, {"age": "38"}, 1),)))
    history = spark.read.format("delta").load(places.history)
    found = history.where("id <> 2").orderBy("id").drop("id").select(*patients.lake.value_columns).collect()
    assert len(found) == 2
    assert found[0] == found[1]
    raw = [b"P-4711-C", b"123-45", b"+49 30 1", b"dear diary", CANARY.encode(), b"171.3"]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path for path in files for text in raw if text in path.read_bytes()] == []


STAFF = Table.model_validate(
    {
        "name": "staff",
        "primary_key": "id",
        "schema": [
            {"name": "id", "type": "integer"},
            {"name": "email", "type": "string"},
            {"name": "letter", "type": "string"},
            {"name": "born", "type": "date"},
            {"name": "grade", "type": "string"},
            {"name": "land", "type": "string"},
        ],
        "dq_rules": [{"id": "known", "type": "allowed_values", "column": "grade", "params": {"values": ["1", "2"]}}],
        "transforms": [
            {"type": "tokenize", "column": "email", "params": {"key": "env:TEST_KEY"}},
            {"type": "encrypt", "column": "letter", "params": {"key": "env:TEST_KEY"}},
            {"type": "generalize", "column": "born", "params": {"to": "year"}},
            {"type": "trim", "column": "grade"},
            {"type": "cast", "column": "grade", "params": {"to_type": "int"}},
            {"type": "lower", "column": "land"},
            {"type": "map", "column": "label", "params": {"expression": "{{ land ~ '!' }}", "to_type": "string"}},
            {"type": "filter", "params": {"expression": "{{ land == 'de' }}"}},
        ],
    }
)


def test_hidden_columns_stand_beside_chains_and_come_back_as_they_were(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", CANARY)
    use_case = UseCase(**dict(UseCase.model_validate(TINY)) | {"tables": (STAFF,)})
    letter = "a letter that is longer than any line of base64, which has seventy-six characters: " * 3
    bob = {"id": 1, "email": "b@x.org", "letter": letter, "born": "1987-06-05", "grade": "1", "land": "DE"}
    batch = [
        debezium("c", 5, bob),
        debezium("c", 6, bob | {"id": 2, "grade": "9"}),
        debezium("c", 7, bob | {"id": 3, "born": "infinity"}),
        debezium("c", 8, bob | {"id": 4, "land": "FR"}),
    ]
    places = Locations(use_case, tmp_path)
    LakeWriter(spark, use_case, places, "query-1").write(records(spark, batch, topic="cdc-staff"), 0)
    replayer = QuarantineReplayer(spark, STAFF, places, "ann")
    repaired = replayer.replay(Selection(repairs=(Repair(f"0000.1.{6:016X}", {"id": "2"}, {"grade": "1"}, 1),)))
    again = replayer.replay(Selection())

    assert (repaired.replayed, again.replayed, again.still_violating) == (1, 0, 1)
    assert [each.reasons for each in again.refused] == [("schema.type: born can't be read as date",)]
    history = spark.read.format("delta").load(places.table(STAFF).history).orderBy("id")
    first, second = history.drop("id").select(*STAFF.lake.value_columns).collect()
    assert first == second
    assert first["label"] == "de!"
    assert [text for text in ("\r", "\n") if text in first["letter"]] == []


SPELLINGS = ["Zo\u00eb", "Zoe\u0308", "Zoe"]
GUESTS = Table.model_validate(
    {
        "name": "guests",
        "primary_key": "id",
        "schema": [
            {"name": "id", "type": "integer"},
            {"name": "name", "type": "string"},
            {"name": "friend", "type": "string"},
        ],
        "transforms": [
            {"type": "tokenize", "column": "name", "params": {"key": "env:TEST_KEY"}},
            {"type": "tokenize", "column": "friend", "params": {"key": "env:TEST_KEY"}},
        ],
    }
)


@pytest.fixture(params=["NO_CODEGEN", "CODEGEN_ONLY"])
def either_plan(request: pytest.FixtureRequest, spark: SparkSession) -> Iterator[str]:
    """Expressions interpreted, as in a small batch, and generated, as in a large one."""
    spark.conf.set("spark.sql.codegen.factoryMode", request.param)
    spark.conf.set("spark.sql.codegen.wholeStage", str(request.param == "CODEGEN_ONLY").lower())
    yield request.param
    spark.conf.unset("spark.sql.codegen.factoryMode")
    spark.conf.unset("spark.sql.codegen.wholeStage")


def test_a_letter_has_one_token_however_it_is_spelled_and_another_one_in_another_domain(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch, either_plan: str
) -> None:
    monkeypatch.setenv("TEST_KEY", CANARY)
    batch = [debezium("c", lsn, {"id": lsn, "name": text, "friend": text}) for lsn, text in enumerate(SPELLINGS, 1)]

    log = place(spark, GUESTS, [*batch, debezium("c", 9, {"id": 9, "name": None, "friend": None})]).log

    named, friend = token("tokenize name", "Zo\u00eb"), token("tokenize friend", "Zo\u00eb")
    assert rows(log, "name", "friend") == [
        (named, friend),
        (named, friend),
        (token("tokenize name", "Zoe"), token("tokenize friend", "Zoe")),
        (None, None),
    ]
    assert [row.id for row in log.where(F.col("name") == named).orderBy("id").collect()] == [1, 2]


def test_no_plan_shows_a_key(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", CANARY)
    outcome = place(spark, Table.model_validate(PATIENTS), [debezium("c", 5, ANN)])
    plan = outcome.log._jdf.queryExecution().toString()
    shown = [CANARY, *(value.hex() for use in key_uses(Table.model_validate(PATIENTS))
                       for value in use.columns(CANARY.encode()).values() if isinstance(value, bytes))]  # fmt: skip
    assert [text for text in shown if text.lower() in plan.lower()] == []


def test_of_the_shipped_patients_the_lake_knows_a_token_a_year_and_an_area(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLUVIAL_SECRETS", "")
    hospital = load_shipped("healthcare-iot")
    provide_secrets(hospital, Home(tmp_path))
    patient = {
        "medical_record_number": "MRN-00000001", "last_name": "Lovelace", "email": "ada@mail.example.com",
        "birth_date": "1987-06-05", "postcode": "10115", "status": "admitted", "phone": "+49 30 123456",
    }  # fmt: skip
    values = [
        debezium("c", 1, {"patient_id": "PT-1", **patient}),
        debezium("c", 2, {"patient_id": "PT-2", **patient, "status": "lost"}),
    ]

    outcome = place(spark, hospital.table("patients"), values)

    number, area = F.substring("medical_record_number", 1, 4), F.col("birth_date").cast("string")
    (known, gap) = rows(outcome.log, number, "last_name", area, "postcode", "phone")
    assert (known, gap) == (("tok_", "********", "1987-01-01", "10", "***********56"), (None,) * 5)
    (held,) = rows(outcome.quarantined, number, area, "_after_image.email", "_after_image.birth_date", "_failed_rules")
    assert (held[0], held[1], held[2][:4], held[3], held[4]) == (
        "tok_", "1987-01-01", "tok_", "1987-01-01", ["patients_status"]
    )  # fmt: skip
