"""Rules tried on stored events, for `backtest` and `plan --backtest`, and how their outcomes are told."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from fluvial.config.locations import Locations
from fluvial.config.model import UseCase
from fluvial.io.applied import read_applied
from fluvial.local.change_plan import applied_file
from fluvial.local.home import Home
from fluvial.plan.backtesting import Precision, edited_rules, plan_trials
from fluvial.plan.configuration import Document

if TYPE_CHECKING:
    from fluvial.io.backtest import RuleBacktest

RulesByTable = Mapping[str, tuple[str, ...]]
"""Ids of rules by table."""


def run_backtest(use_case: UseCase, home: Home, chosen: RulesByTable) -> list["RuleBacktest"]:
    """The outcomes of the chosen rules, table by table."""
    from fluvial.cli.spark import spark_session  # noqa: PLC0415 - a plan without --backtest needs no Spark
    from fluvial.io.backtest import backtest_rules  # noqa: PLC0415

    locations, documents = Locations(use_case, home.lake), _applied(use_case, home)
    with spark_session("fluvial-backtest", home) as session:
        return [
            outcome
            for name, rule_ids in chosen.items()
            for table in [use_case.table(name)]
            for trials in [plan_trials(table, rule_ids, documents.get(name))]
            for outcome in backtest_rules(session, table, locations.table(table), trials)
        ]


def edited_rules_of(use_case: UseCase, home: Home) -> RulesByTable:
    """The rules of each table that aren't what was applied."""
    documents = _applied(use_case, home)
    found = {table.name: edited_rules(table, documents.get(table.name)) for table in use_case.tables}
    return {name: rule_ids for name, rule_ids in found.items() if rule_ids}


def _applied(use_case: UseCase, home: Home) -> Mapping[str, Document]:
    applied = read_applied(use_case, home.lake, applied_file(use_case.name, home)) or {}
    tables: Mapping[str, Document] = applied.get("tables", {})
    return tables


def outcome_words(outcome: "RuleBacktest") -> dict[str, Any]:
    """An outcome as data."""
    return {**asdict(outcome), "newly": outcome.newly, "share": outcome.share}


def outcome_lines(outcome: "RuleBacktest") -> Iterator[str]:
    """An outcome for people: what it is worth, the numbers, the newest events that break the rule."""
    place = f"{outcome.table}.{outcome.rule_id} ({outcome.severity})"
    if outcome.precision == Precision.IMPOSSIBLE:
        yield f"{place}: can't be tried: {outcome.reason}"
        return
    yield (
        f"{place}: {outcome.violating:,} of {outcome.judged:,} events ({outcome.share:.2%}) break it, "
        f"{outcome.already:,} of them in quarantine already"
    )
    if outcome.reason:
        yield f"    {outcome.precision}: {outcome.reason}"
    yield from (f"    {sample.key} @ {sample.sequence}" for sample in outcome.samples)
