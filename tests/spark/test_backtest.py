"""Rules tried on stored events: what is told is what the stream does with the same events and the same rules."""

import copy
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from fluvial.config.locations import Locations
from fluvial.config.model import UseCase
from fluvial.io.backtest import RuleBacktest, backtest_rules
from fluvial.io.lake_writer import LakeWriter
from fluvial.plan.backtesting import plan_trials
from tests.spark.records import TINY, debezium, records

RULES: list[dict[str, Any]] = [
    {"id": "price_range", "type": "range", "column": "price", "params": {"min": 0, "max": 3}},
    {"id": "a_known", "type": "regex", "column": "a", "params": {"pattern": "^[B-Z]"}},
    {"id": "b_length", "type": "length", "column": "b", "params": {"max": 1}},
    {"id": "seen", "type": "not_null", "column": "seen_at", "severity": "warning"},
]
EVENTS = [
    debezium("r", 1, {"id": 1, "a": "A", "b": "x", "price": "1.00"}),
    debezium("u", 2, {"id": 1, "a": "B", "b": "xx", "price": "2.00"}),
    debezium("c", 3, {"id": 2, "a": "C", "b": "__debezium_unavailable_value", "price": "50.00"}),
    debezium("u", 4, {"id": 2, "a": "A", "b": None, "price": "-1.00"}),
    debezium("c", 5, {"id": 3, "a": None, "b": "yyy", "price": "200.00"}),
    debezium("u", 6, {"id": 1, "a": "A", "b": "z", "price": "4.00", "seen_at": "2026-01-01T00:00:00Z"}),
    debezium("d", 7, {"id": 1, "a": "A", "b": "z", "price": "4.00"}),
]


def use_case(name: str, rules: list[dict[str, Any]] | None = None) -> UseCase:
    raw = copy.deepcopy(TINY)
    raw["settings"] = {key: value.replace("tiny", name) for key, value in raw["settings"].items()}
    raw["tables"][0]["dq_rules"] = raw["tables"][0]["dq_rules"] if rules is None else rules
    return UseCase.model_validate(raw)


@pytest.fixture(scope="module")
def outcomes(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> dict[str, RuleBacktest]:
    """The rules tried on a lake that was written by other ones; beside it, what the stream did by these."""
    lake, old, new = tmp_path_factory.mktemp("lake"), use_case("old"), use_case("new", RULES)
    for case in (old, new):
        LakeWriter(spark, case, Locations(case, lake), "q").write(records(spark, EVENTS), 0)
    items, places = new.tables[0], Locations(old, lake).table(old.tables[0])
    found = backtest_rules(spark, items, places, plan_trials(items, tuple(rule["id"] for rule in RULES), None))
    real = spark.read.format("delta").load(Locations(new, lake).table(items).quarantine)
    broken = real.select(F.explode("_failed_rules").alias("rule")).groupBy("rule").count().collect()
    assert {row["rule"]: row["count"] for row in broken} == {
        outcome.rule_id: outcome.violating for outcome in found if outcome.severity == "error"
    } | {"seen": 2}
    return {outcome.rule_id: outcome for outcome in found}


def test_the_counts_are_those_of_a_stream_with_these_rules(outcomes: dict[str, RuleBacktest]) -> None:
    told = {name: (found.judged, found.violating, found.already) for name, found in outcomes.items()}

    assert told == {
        "price_range": (6, 4, 2),
        "a_known": (6, 3, 1),
        "b_length": (6, 2, 1),
        "seen": (6, 2, 1),
    }


def test_the_newest_events_that_break_a_rule_are_shown(outcomes: dict[str, RuleBacktest]) -> None:
    assert [(sample.key, sample.sequence[-2:]) for sample in outcomes["a_known"].samples] == [
        ("id=1", "06"),
        ("id=2", "04"),
        ("id=1", "01"),
    ]


def test_the_share_and_what_would_be_new_follow_from_the_counts(outcomes: dict[str, RuleBacktest]) -> None:
    assert (outcomes["price_range"].newly, round(outcomes["price_range"].share, 3)) == (2, 0.667)


def test_a_rule_that_cant_be_tried_says_so_and_counts_nothing(spark: SparkSession, tmp_path: Path) -> None:
    rules = [{"id": "email", "type": "regex", "column": "email", "params": {"pattern": "@"}}]
    raw = copy.deepcopy(TINY)
    raw["tables"][1]["dq_rules"] = rules
    fleet = UseCase.model_validate(raw)
    people = fleet.table("people")
    (found,) = backtest_rules(
        spark, people, Locations(fleet, tmp_path).table(people), plan_trials(people, ("email",), None)
    )

    assert (found.precision, found.judged, found.violating) == ("impossible", 0, 0)
    assert found.reason == "email is masked: its raw values were never stored"
