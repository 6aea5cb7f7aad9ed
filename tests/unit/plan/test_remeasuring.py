from typing import Any

from fluvial.config.model import Table
from fluvial.plan.remeasuring import split_checks

COLUMNS = [{"name": name, "type": "string"} for name in ("id", "vin", "plate", "owner", "colour")]


def check(metric: str, column: str | None = None) -> dict[str, Any]:
    return {"metric": metric, "column": column, "threshold": 0.5}


def test_what_the_log_holds_as_the_source_wrote_it_can_be_measured_again() -> None:
    table = Table.model_validate(
        {
            "name": "vehicles",
            "primary_key": "id",
            "schema": COLUMNS,
            "transforms": [
                {"id": "t1", "type": "trim", "column": "plate", "order": 1},
                {"id": "t2", "type": "default_value", "column": "owner", "params": {"value": "nobody"}, "order": 2},
                {"id": "t3", "type": "rename", "column": "colour", "params": {"new_name": "paint"}, "order": 3},
            ],
            "deequ_checks": [
                check("size"),
                check("uniqueness", "vin"),
                check("uniqueness", "plate"),
                check("completeness", "plate"),
                check("completeness", "owner"),
                check("compliance", "owner"),
                check("compliance", "colour"),
            ],
        }
    )
    told = split_checks(table)
    assert [(each.metric, each.column) for each in told.checks] == [
        ("size", None),
        ("uniqueness", "vin"),
        ("completeness", "plate"),
        ("compliance", "owner"),
    ]
    assert told.reasons == (
        "uniqueness of plate can't be told: the log holds it as it was after trim",
        "completeness of owner can't be told: the log holds it as it was after default_value",
        "compliance of colour can't be told: the log doesn't hold it under the source's name",
    )
