from copy import deepcopy
from typing import Any

import pytest

from fluvial.config.model import UseCase
from fluvial.generate.scenario import Scenario

TABLES: dict[str, Any] = {
    "name": "corner-shop",
    "settings": {"checkpoint_location": "s3://b/c", "quarantine_path": "s3://b/q", "delta_bucket": "b"},
    "kafka": {"bootstrap_servers": "broker:9096"},
    "tables": [
        {
            "name": "customers",
            "primary_key": "id",
            "schema": [{"name": "id", "type": "bigint"}, {"name": "name", "type": "string"}],
            "dq_rules": [{"id": "name_present", "type": "not_null", "column": "name"}],
        },
        {
            "name": "visits",
            "primary_key": ["customer_id", "came_at"],
            "schema": [
                {"name": "customer_id", "type": "bigint"},
                {"name": "came_at", "type": "timestamp"},
                {"name": "spent", "type": "decimal(8,2)"},
            ],
            "dq_rules": [{"id": "spent_range", "type": "range", "column": "spent", "params": {"min": 0, "max": 500}}],
        },
    ],
}
SCENARIO: dict[str, Any] = {
    "clock_start": "2026-01-01T00:00:00Z",
    "transactions": {"multi_statement_share": 0.5, "max_statements": 4, "repeated_update_share": 0.2},
    "tables": {
        "customers": {
            "initial_rows": 10,
            "min_rows": 5,
            "weights": {"insert": 1, "update": 6, "delete": 1},
            "violation_share": 0.25,
            "columns": {"id": {"kind": "serial"}, "name": {"kind": "fake", "provider": "last_name"}},
            "updates": [{"name": "married", "set": {"name": {"kind": "fake", "provider": "last_name"}}}],
            "violations": [{"name": "nameless", "rule": "name_present", "values": [None]}],
        },
        "visits": {
            "initial_rows": 30,
            "weights": {"insert": 4, "update": 2, "delete": 1},
            "violation_share": 0.1,
            "columns": {
                "customer_id": {"kind": "reference", "table": "customers"},
                "came_at": {"kind": "clock"},
                "spent": {"kind": "decimal", "min": 0, "max": 80, "scale": 2},
            },
            "updates": [{"name": "paid_more", "set": {"spent": {"kind": "increase", "min": 1, "max": 5, "scale": 2}}}],
            "violations": [{"name": "too_much", "rule": "spent_range", "values": [9999, -1]}],
        },
    },
}


@pytest.fixture
def shop() -> UseCase:
    """Customers and, with a composite key, their visits."""
    return UseCase.model_validate(TABLES)


@pytest.fixture
def scenario() -> Scenario:
    """A busy week in that shop."""
    return Scenario.model_validate(SCENARIO)


@pytest.fixture
def document() -> dict[str, Any]:
    """The same scenario as it is read from YAML, free to be spoilt."""
    return deepcopy(SCENARIO)
