"""The files of a new use case that begins with nothing."""

from typing import Final

HEAD: Final = """\
# yaml-language-server: $schema=../tables.schema.json
{note}
settings:
  checkpoint_location: s3://${{STACK_NAME}}-assets-${{AWS_ACCOUNT_ID}}/checkpoints/{name}
  quarantine_path: s3://${{STACK_NAME}}-quarantine-${{AWS_ACCOUNT_ID}}/{name}
  delta_bucket: s3://${{STACK_NAME}}-delta-${{AWS_ACCOUNT_ID}}/{name}
  trigger_interval: 10 seconds

kafka:
  bootstrap_servers: ${{MSK_BOOTSTRAP_SERVERS}}
  security_protocol: SASL_SSL
  sasl_mechanism: SCRAM-SHA-512
  username: fluvial

source_database:
  engine: postgres
  database: {database}
  schema_name: {schema}

"""
_NOTE: Final = """
# A new use case. `fluvial validate` checks it, `fluvial up --use-case {name}` runs it on this machine.
# Every key: docs/reference/tables-yaml.md.
"""
_TABLES: Final = """\
tables:
  - name: customers
    primary_key: [customer_id]
    schema:
      - {name: customer_id, type: bigint, nullable: false}
      - {name: email, type: string, classification: pii}
      - {name: country, type: string}
      - {name: balance, type: "decimal(12,2)"}
      - {name: updated_at, type: timestamp}
    dq_rules:  # error quarantines the row, warning records the violation and lets it pass
      - id: customers_email_format
        type: regex
        column: email
        params: {pattern: '^[^@\\s]+@[^@\\s]+$'}
        severity: warning
      - {id: customers_country, type: allowed_values, column: country, params: {values: [DE, FR, PL]}, severity: error}
    transforms:  # by order, then as written; never on a key column
      - {id: customers_email_mask, type: mask_pii, column: email, params: {visible_chars: 4}, order: 1}
    deequ_checks:  # measured in every micro-batch, nothing is filtered
      - {metric: completeness, column: email, threshold: 0.95, severity: warning}
"""
_SCENARIO: Final = """\
# What `fluvial generate` writes into PostgreSQL. Kinds of values: docs/scenario.md.

clock_start: 2026-01-05T06:00:00Z
changes_per_second: 10

tables:
  customers:
    initial_rows: 50
    min_rows: 10
    weights: {insert: 2, update: 6, delete: 0.5}
    violation_share: 0.05
    columns:
      customer_id: {kind: serial}
      email: {kind: pattern, pattern: "????????@example.com"}
      country: {kind: choice, values: [DE, FR, PL]}
      balance: {kind: decimal, min: 0, max: 5000, scale: 2}
      updated_at: {kind: clock}
    updates:
      - name: paid
        set:
          balance: {kind: decimal, min: 0, max: 5000, scale: 2}
          updated_at: {kind: clock}
    violations:
      - {name: broken_email, rule: customers_email_format, values: [not an email]}
      - {name: unknown_country, rule: customers_country, values: [XX]}
"""


def template_files(name: str) -> dict[str, str]:
    """The texts of a new use case, by file name."""
    head = HEAD.format(name=name, note=_NOTE.format(name=name), database=database_name(name), schema="public")
    return {"tables.yaml": head + _TABLES, "scenario.yaml": _SCENARIO}


def database_name(name: str) -> str:
    """The database that a use case of that name has unless it says otherwise."""
    return name.replace("-", "_").replace(".", "_")
