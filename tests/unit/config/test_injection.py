"""A payload in any text of a tables.yaml is refused, or changes values only: no artifact takes another structure."""

import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import sqlglot
import yaml
from sqlglot import exp

from fluvial.compile.artifacts import compile_artifacts
from fluvial.config.load import load_use_case
from fluvial.errors import ConfigError

PAYLOADS = [
    "'; DROP TABLE orders; --",
    '"; DROP TABLE orders; --',
    "`; DROP TABLE orders; --",
    "orders) ; SELECT pg_sleep(9); --",
    "' OR '1'='1",
    "$$; DROP ROLE cdc; $$",
    "\\'; DROP TABLE orders; --",
    "/* */ orders -- ",
    "{{ 7 * 7 }}",
    "{% for x in ().__class__.__bases__ %}{% endfor %}",
    "${STACK_NAME}",
    "${jndi:ldap://127.0.0.1/a}",
    "${file:/etc/passwd:root}",
    "$(touch /tmp/owned)",
    "`touch /tmp/owned`",
    "../../../../etc/passwd",
    "s3://bucket/../../etc",
    "file:///etc/passwd",
    "http://169.254.169.254/latest/meta-data",
    "line\nbreak: true",
    "carriage\r\nSet-Cookie: a=b",
    '", "owned": "true',
    "</script><script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "%s%n%x",
    "a" * 5_000,
    "\x1b[2J\x1b]0;owned\x07",
    "\u202egnp.exe",
    "\ufb01\u0131\u017f\u212a",
    "*",
    "public.orders",
    "__proto__",
    '" required; org.apache.kafka.common.security.Owned required x="',
]

WHOLE = {
    "settings": {
        "checkpoint_location": "s3://shop-assets/checkpoints",
        "quarantine_path": "s3://shop-quarantine/shop",
        "delta_bucket": "s3://shop-delta",
        "trigger_interval": "10 seconds",
        "settle": {"policy": "each_batch"},
    },
    "kafka": {
        "bootstrap_servers": "b:9096",
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "username": "fluvial",
    },
    "source_database": {"engine": "postgres", "database": "shop", "schema_name": "public"},
    "tables": [
        {
            "name": "orders",
            "topic": "cdc-orders",
            "delta_path": "s3://shop-delta/orders",
            "primary_key": "id",
            "schema": [
                {"name": "id", "type": "bigint"},
                {"name": "email", "type": "string", "classification": "pii"},
                {"name": "total", "type": "decimal(12,2)"},
            ],
            "dq_rules": [
                {"id": "r1", "type": "regex", "column": "email", "params": {"pattern": "@"}, "severity": "error"},
                {"id": "r2", "type": "allowed_values", "column": "email", "params": {"values": ["a@b"]}},
                {"id": "r3", "type": "range", "column": "total", "params": {"min": "0", "max": "9"}},
            ],
            "transforms": [{"id": "t1", "type": "mask_pii", "column": "email"}],
            "deequ_checks": [{"metric": "completeness", "column": "email", "threshold": 0.5, "severity": "warning"}],
            "track_columns": ["email", "total"],
            "dead_letter_payload": "auto",
        },
        {"name": "buyers", "primary_key": ["id"], "schema": [{"name": "id", "type": "bigint"}]},
    ],
}


def text_places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from text_places(inner, (*path, key))
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from text_places(inner, (*path, position))
    elif isinstance(value, str):
        yield path


def with_payload(path: tuple[Any, ...], payload: str) -> dict[str, Any]:
    whole = json.loads(json.dumps(WHOLE))
    target = whole
    for part in path[:-1]:
        target = target[part]
    target[path[-1]] = payload
    return whole


def structure(name: str, text: str) -> Any:
    """What is left of an artifact when its names and values are blanked out."""
    if name.endswith(".json"):
        return json_structure(json.loads(text))
    dialect = "athena" if name.startswith("athena") else "postgres"
    return [statement_structure(tree) for tree in sqlglot.parse(text, dialect=dialect)]


def json_structure(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: json_structure(inner) for key, inner in value.items()}
    return [json_structure(inner) for inner in value] if isinstance(value, list) else type(value).__name__


def statement_structure(tree: Any) -> list[str]:
    kinds = [type(node).__name__ for node in tree.walk()]
    # What sqlglot doesn't parse it keeps as one text: only its shape without names is compared.
    return [*kinds, *(str(node.this).count(";") for node in tree.find_all(exp.Command))]


def outcome(folder: Path, data: dict[str, Any]) -> dict[str, Any] | None:
    path = folder / "tables.yaml"
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    try:
        use_case = load_use_case(path, {"STACK_NAME": "renamed"})
    except ConfigError:
        return None
    return {each.name: structure(each.name, each.text) for each in compile_artifacts(use_case)}


@pytest.mark.parametrize("path", list(text_places(WHOLE)), ids=lambda path: ".".join(map(str, path)))
def test_a_payload_is_refused_or_changes_no_structure(tmp_path: Path, path: tuple[Any, ...]) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    clean = outcome(folder, WHOLE)
    assert clean is not None

    harmless = (None, clean, outcome(folder, with_payload(path, "renamed")))

    changed = [payload for payload in PAYLOADS if outcome(folder, with_payload(path, payload)) not in harmless]

    assert changed == []


@pytest.mark.parametrize("payload", [payload for payload in PAYLOADS if "/" not in payload and len(payload) < 255])
def test_a_folder_with_such_a_name_is_refused_or_changes_no_structure(tmp_path: Path, payload: str) -> None:
    clean = tmp_path / "shop"
    folder = tmp_path / payload
    clean.mkdir()
    folder.mkdir()

    assert outcome(folder, WHOLE) in (None, outcome(clean, WHOLE))


def test_the_corpus_covers_every_text_and_many_payloads() -> None:
    assert len(list(product(text_places(WHOLE), PAYLOADS))) > 1_000
