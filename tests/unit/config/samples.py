"""A small tables.yaml, right in every line, that the tests break in one place at a time."""

from pathlib import Path

from fluvial.config.load import check_use_case, load_use_case
from fluvial.config.model import UseCase
from fluvial.errors import ConfigError, Problem

SHOP = """\
settings:
  checkpoint_location: s3://shop-assets/checkpoints
  quarantine_path: s3://shop-quarantine/shop
  delta_bucket: s3://shop-delta
  trigger_interval: 10 seconds
kafka:
  bootstrap_servers: ${MSK_BOOTSTRAP_SERVERS}
  security_protocol: SASL_SSL
  sasl_mechanism: SCRAM-SHA-512
  username: fluvial
source_database:
  engine: postgres
  schema_name: public
tables:
  - name: orders
    topic: cdc-orders
    primary_key: id
    schema:
      - {name: id, type: bigint, nullable: false}
      - {name: email, type: string, nullable: true}
      - {name: total, type: "decimal(12,2)", nullable: true}
      - {name: is_gift, type: boolean, nullable: true}
      - {name: placed_on, type: date, nullable: true}
      - {name: photo, type: binary, nullable: true}
    dq_rules:
      - {id: total_range, type: range, column: total, params: {min: 0, max: 100}, severity: error}
      - {id: email_format, type: regex, column: email, params: {pattern: '@'}, severity: warning}
      - {id: email_known, type: allowed_values, column: email, params: {values: [a@b, c@d]}, severity: error}
      - {id: email_there, type: not_null, column: email, severity: error}
    transforms:
      - {id: email_trim, type: trim, column: email, params: {}, order: 1}
      - {id: email_mask, type: mask_pii, column: email, params: {visible_chars: 2}, order: 2}
      - {id: total_round, type: round, column: total, params: {decimals: 1}, order: 1}
    deequ_checks:
      - {metric: completeness, column: email, threshold: 0.9, severity: warning}
    track_columns: [email, total]
  - name: buyers
    primary_key: [id, country]
    schema:
      - {name: id, type: bigint, nullable: false}
      - {name: country, type: string, nullable: false}
"""
PLACEHOLDERS = {"MSK_BOOTSTRAP_SERVERS": "broker:9096", "STACK_NAME": "shop"}


def load_text(folder: Path, text: str) -> UseCase:
    """Load a text as the tables.yaml of a folder."""
    path = folder / "tables.yaml"
    path.write_text(text, encoding="utf-8")
    return load_use_case(path, PLACEHOLDERS)


def problems_of(folder: Path, text: str) -> list[Problem]:
    """What is wrong with a text."""
    try:
        load_text(folder, text)
    except ConfigError as error:
        return list(error.problems)
    return []


def warnings_of(folder: Path, text: str) -> list[Problem]:
    """What is said about a text that can be used all the same."""
    path = folder / "tables.yaml"
    path.write_text(text, encoding="utf-8")
    return list(check_use_case(path, PLACEHOLDERS).warnings)


def broken(right: str, wrong: str) -> str:
    """The sample with one fragment replaced; the fragment stands in it exactly once."""
    assert SHOP.count(right) == 1, f"{right!r} stands {SHOP.count(right)} times in the sample"
    return SHOP.replace(right, wrong)
