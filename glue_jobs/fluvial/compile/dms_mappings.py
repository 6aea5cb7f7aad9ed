"""tables.yaml to the table mappings of an AWS DMS task: which tables, with which columns, into which topics.

Source: https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Tasks.CustomizingTasks.TableMapping.html
"""

from collections.abc import Iterator
from typing import Any, Final

from fluvial.config.model import Column, Table, UseCase
from fluvial.config.types import decimal_size

FIRST_EPOCH: Final = "0000"
EPOCH_COLUMN: Final = "fluvial_epoch"
"""Added to every row of the task, because no field of a DMS record says which full load it belongs to."""
_EPOCH_DIGITS: Final = 4
# Sign, point, and the zero before it.
_BESIDE_DIGITS: Final = 3

Rule = dict[str, Any]


def compile_table_mappings(use_case: UseCase, epoch: str = FIRST_EPOCH) -> dict[str, list[Rule]]:
    """Selection, topic, epoch and exact decimals of each table; `epoch` grows with every new full load."""
    rules = [rule for table in use_case.tables for rule in _table_rules(use_case, table, epoch)]
    return {"rules": [{**rule, "rule-id": str(number)} for number, rule in enumerate(rules, start=1)]}


def _table_rules(use_case: UseCase, table: Table, epoch: str) -> Iterator[Rule]:
    place = {"schema-name": use_case.source_database.schema_name, "table-name": table.name}
    yield _rule("selection", f"select-{table.name}", "include", place)
    yield _rule("object-mapping", f"topic-of-{table.name}", "map-record-to-record", place) | {
        "kafka-target-topic": table.topic
    }
    yield _epoch(table, place, epoch)
    for column in table.columns:
        if column.type.startswith("decimal"):
            yield _exact(table, column, place)


def _rule(kind: str, name: str, action: str, place: dict[str, str]) -> Rule:
    return {"rule-type": kind, "rule-id": "", "rule-name": name, "rule-action": action, "object-locator": place}


def _epoch(table: Table, place: dict[str, str], epoch: str) -> Rule:
    return _rule("transformation", f"epoch-of-{table.name}", "add-column", place) | {
        "rule-target": "column",
        "value": EPOCH_COLUMN,
        "expression": f"'{epoch}'",
        "data-type": {"type": "string", "length": _EPOCH_DIGITS},
    }


def _exact(table: Table, column: Column, place: dict[str, str]) -> Rule:
    """DMS writes a numeric as a JSON number, which passes through a double; as text every digit stays."""
    digits, _ = decimal_size(column.type)
    name = f"exact-{table.name}-{column.name}"
    return _rule("transformation", name, "change-data-type", {**place, "column-name": column.name}) | {
        "rule-target": "column",
        "data-type": {"type": "string", "length": digits + _BESIDE_DIGITS},
    }
