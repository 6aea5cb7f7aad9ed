from typing import Any

import pytest

from fluvial.config.guarantee import Level, describe, guarantee
from fluvial.config.model import UseCase
from tests.unit.io.lakes import SETTINGS, VEHICLES


def use_case(table: dict[str, Any] | None = None, **source: Any) -> UseCase:
    return UseCase.model_validate(
        {
            "name": "fleet",
            "settings": SETTINGS,
            "kafka": {"bootstrap_servers": "127.0.0.1:9092"},
            "source_database": source,
            "tables": [VEHICLES | (table or {})],
        }
    )


@pytest.mark.parametrize(
    ("table", "source", "level", "reason"),
    [
        ({}, {}, Level.EXACT, ""),
        ({}, {"captures_truncates": False}, Level.EXACT_PER_KEY, "drops TRUNCATE"),
        ({}, {"capture": "dms"}, Level.EXACT_PER_KEY, "no end of a full load"),
        ({}, {"capture": "dms", "include_transaction_details": False}, Level.BEST_EFFORT, "no log position"),
        ({}, {"include_transaction_details": False}, Level.EXACT, ""),
        ({}, {"capture": "dms", "before_image": False}, Level.BEST_EFFORT, "hides that it changed the key"),
        ({"replica_identity": "default"}, {}, Level.BEST_EFFORT, "long values that it doesn't touch (plate)"),
        ({"dq_rules": [{"id": "u", "type": "unique", "column": "plate"}]}, {}, Level.EXACT, ""),
        (
            {"dq_rules": [{"id": "u", "type": "unique", "column": "plate", "severity": "error"}]},
            {},
            Level.BEST_EFFORT,
            "which events share a micro-batch (u)",
        ),
        ({"replica_identity": "default", "primary_key": ["id", "plate"]}, {}, Level.EXACT, ""),
    ],
)
def test_the_level_follows_from_the_configuration(
    table: dict[str, Any], source: dict[str, Any], level: Level, reason: str
) -> None:
    configured = use_case(table, **source)
    found = guarantee(configured.tables[0], configured)
    assert found.level is level
    assert reason in "\n".join(found.reasons)
    assert len(found.reasons) == len(found.fixes)


def test_a_use_case_whose_tables_are_all_exact_is_one_line() -> None:
    assert describe(use_case()) == ["fleet: every table exact"]


def test_every_reason_is_told_with_its_fix() -> None:
    assert describe(use_case(captures_truncates=False)) == [
        "fleet.vehicles: exact per key",
        "  the capture drops TRUNCATE, so rows that one removed stay current -> let it send them (Debezium: "
        "`skipped.operations: none`), and remove `captures_truncates: false`",
    ]
