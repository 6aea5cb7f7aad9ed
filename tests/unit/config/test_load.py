"""What a right tables.yaml becomes."""

from pathlib import Path

import pytest

from fluvial.config.load import load_use_case, resolve_use_case_path
from fluvial.config.locations import Locations
from fluvial.config.placeholders import local_placeholders
from fluvial.errors import ConfigError
from tests.unit.config.samples import PLACEHOLDERS, SHOP, load_text

# The shape that requirements row A1 describes, with a value for every key it names.
A1 = """\
settings:
  checkpoint_location: s3://${STACK_NAME}-assets-${AWS_ACCOUNT_ID}/checkpoints/
  quarantine_path: s3://${STACK_NAME}-quarantine-${AWS_ACCOUNT_ID}/
  delta_bucket: ${STACK_NAME}-delta-${AWS_ACCOUNT_ID}
  trigger_interval: "30 seconds"

kafka:
  bootstrap_servers: "${MSK_BOOTSTRAP_SERVERS}"
  security_protocol: SASL_SSL
  sasl_mechanism: SCRAM-SHA-512
  username: fluvial

source_database:
  engine: postgres
  schema_name: public

tables:
  - name: patients
    topic: cdc-patients
    delta_path: s3://${STACK_NAME}-delta-${AWS_ACCOUNT_ID}/patients/
    primary_key: patient_id
    schema:
      - name: patient_id
        type: string
        nullable: false
      - name: email
        type: string
        nullable: true
      - name: height_cm
        type: double
        nullable: true
    dq_rules:
      - id: height_range
        type: range
        column: height_cm
        params:
          min: 30
          max: 250
        severity: error
      - id: email_format
        type: regex
        column: email
        params:
          pattern: '^[^@\\s]+@[^@\\s]+$'
        severity: warning
      - id: id_there
        type: not_null
        column: patient_id
        params: {}
        severity: error
    transforms:
      - id: mask_email
        type: mask_pii
        column: email
        params:
          visible_chars: 4
        order: 2
      - id: trim_email
        type: trim
        column: email
        params:
        order: 1
    deequ_checks:
      - metric: size
        column: patient_id
        threshold: 1
        severity: warning
      - metric: completeness
        column: email
        threshold: 0.95
        severity: error
  - name: vitals
    topic: cdc-vitals
    delta_path: s3://${STACK_NAME}-delta-${AWS_ACCOUNT_ID}/vitals
    primary_key: [patient_id, measured_at]
    schema:
      - {name: patient_id, type: string, nullable: false}
      - {name: measured_at, type: timestamp, nullable: false}
      - {name: heart_rate, type: integer, nullable: true}
"""


def test_a_file_in_the_documented_shape_loads_unchanged(tmp_path: Path) -> None:
    folder = tmp_path / "healthcare-iot"
    folder.mkdir()
    (folder / "tables.yaml").write_text(A1, encoding="utf-8")

    use_case = load_use_case(folder / "tables.yaml", local_placeholders("localhost:29092"))

    patients, vitals = use_case.tables
    assert use_case.name == "healthcare-iot"
    assert use_case.database_name == "healthcare_iot"
    assert use_case.kafka.bootstrap_servers == "localhost:29092"
    assert patients.primary_key == ("patient_id",)
    assert vitals.primary_key == ("patient_id", "measured_at")
    assert [rule.id for rule in patients.dq_rules] == ["height_range", "email_format", "id_there"]
    assert [step.id for step in patients.ordered_transforms] == ["trim_email", "mask_email"]
    assert patients.masked_columns == {"email"}
    assert [column.type for column in vitals.columns] == ["string", "timestamp", "int"]


def test_s3_urls_become_folders_of_the_lake_on_the_local_profile(tmp_path: Path) -> None:
    use_case = load_text(tmp_path, SHOP)
    orders, _ = use_case.tables

    places = Locations(use_case, Path("/lake"))

    assert places.table(orders).history == "/lake/shop-delta/orders"
    assert places.table(orders).log == "/lake/shop-delta/orders__log"
    assert places.table(orders).quarantine == "/lake/shop-quarantine/shop/orders"
    assert places.checkpoint == "/lake/shop-assets/checkpoints"


def test_a_topic_is_named_after_its_table_unless_given(tmp_path: Path) -> None:
    assert load_text(tmp_path, SHOP).table("buyers").topic == "cdc-buyers"


def test_an_unknown_table_is_a_key_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        load_text(tmp_path, SHOP).table("byers")


def test_an_anchor_saves_writing(tmp_path: Path) -> None:
    text = SHOP.replace(
        "params: {min: 0, max: 100}, severity: error}",
        "params: &bounds {min: 0, max: 100}}\n      - {id: again, type: range, column: total, params: *bounds}",
    )

    first, second, *_ = load_text(tmp_path, text).table("orders").dq_rules

    assert first.params == second.params


def test_a_merge_key_adds_what_the_mapping_lacks(tmp_path: Path) -> None:
    text = SHOP.replace(
        "{id: email_there, type: not_null, column: email, severity: error}",
        "{id: email_there, type: not_null, <<: {column: total, severity: warning}, severity: error}",
    )

    rule = load_text(tmp_path, text).table("orders").dq_rules[3]

    assert (rule.column, rule.severity) == ("total", "error")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("[yes, no, on]", ("yes", "no", "on")),
        ("[2024-01-31]", ("2024-01-31",)),
        ("[007, 1_000]", ("007", "1_000")),
        ("[12:30]", ("12:30",)),
        ("['5', 5]", ("5", 5)),
        ("[0.1, 123456789012345678.25]", (0.1, "123456789012345678.25")),
    ],
)
def test_a_scalar_is_what_it_looks_like(tmp_path: Path, written: str, expected: tuple[object, ...]) -> None:
    text = SHOP.replace("[a@b, c@d]", written)

    rule = load_text(tmp_path, text).table("orders").dq_rules[2]

    assert rule.params.model_dump()["values"] == expected


def test_a_placeholder_is_taken_from_the_environment_where_the_mapping_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_TOPIC", "from-outside")

    assert load_text(tmp_path, SHOP.replace("cdc-orders", "${SHOP_TOPIC}")).tables[0].topic == "from-outside"


def test_the_mapping_wins_over_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACK_NAME", "from-outside")

    text = SHOP.replace("cdc-orders", "${STACK_NAME}-orders")

    assert load_text(tmp_path, text).tables[0].topic == f"{PLACEHOLDERS['STACK_NAME']}-orders"


def test_the_environment_wins_over_the_defaults_of_the_local_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACK_NAME", "mine")

    assert local_placeholders("b:1") == {
        "STACK_NAME": "mine",
        "AWS_ACCOUNT_ID": "000000000000",
        "AWS_REGION": "local",
        "MSK_BOOTSTRAP_SERVERS": "b:1",
    }


def test_two_dollars_keep_a_placeholder_as_text(tmp_path: Path) -> None:
    text = SHOP.replace("[a@b, c@d]", "['$${STACK_NAME}']")

    assert load_text(tmp_path, text).tables[0].dq_rules[2].params.model_dump()["values"] == ("${STACK_NAME}",)


@pytest.mark.parametrize("given", ["shop", "config/shop", "config/shop/tables.yaml"])
def test_a_use_case_is_found_by_name_by_folder_and_by_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config" / "shop").mkdir(parents=True)
    (tmp_path / "config" / "shop" / "tables.yaml").write_text(SHOP)

    assert resolve_use_case_path(given) == Path("config/shop/tables.yaml")


def test_an_unknown_use_case_names_the_nearest_one(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "tables.yaml").write_text(SHOP)

    with pytest.raises(ConfigError) as caught:
        resolve_use_case_path("shoop", tmp_path)

    assert str(caught.value) == "shoop E001 no such use case or file\n  -> did you mean 'shop'?"


def test_the_lake_has_other_names_and_types_than_the_source(tmp_path: Path) -> None:
    text = SHOP.replace(
        "{id: email_trim, type: trim, column: email, params: {}, order: 1}",
        "{id: email_name, type: rename, column: email, params: {new_name: mail}, order: 1}",
    )
    text = text.replace("type: mask_pii, column: email", "type: mask_pii, column: mail")
    text = text.replace("track_columns: [email,", "track_columns: [mail,")
    text = text.replace(
        "type: round, column: total, params: {decimals: 1}", "type: cast, column: total, params: {to_type: int}"
    )

    orders = load_text(tmp_path, text).table("orders")

    assert [(column.name, column.type) for column in orders.lake.columns][:3] == [
        ("id", "bigint"), ("mail", "string"), ("total", "int")
    ]  # fmt: skip
    assert orders.column_names[:3] == ("id", "email", "total")
    assert orders.masked_columns == {"email"}
    assert orders.lake.lake == orders.lake
