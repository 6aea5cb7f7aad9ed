"""`fluvial backtest`: what a rule would have quarantined, before it is switched on."""

from collections.abc import Sequence
from typing import Annotated

import typer

from fluvial.cli.query_output import json_text
from fluvial.cli.rule_trials import RulesByTable, edited_rules_of, outcome_lines, outcome_words, run_backtest
from fluvial.cli.selection import ConfigOption, HomeOption, UseCaseArgument, select_home, select_table, select_use_case
from fluvial.config.model import Table, UseCase
from fluvial.errors import FluvialError
from fluvial.local.home import Home


def backtest(
    use_case: UseCaseArgument = None,
    config: ConfigOption = None,
    home: HomeOption = None,
    rules: Annotated[
        list[str] | None, typer.Option("--rule", help="A rule's id, may be repeated; without one, those edited since.")
    ] = None,
    table: Annotated[str | None, typer.Option("--table", help="Only this table.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print an array of outcomes.")] = False,
) -> None:
    """Judge the stored events by rules that are new or edited, or by named ones; writes nothing.

    The stream's own rules run in a Spark of their own, on the log and on the quarantine.
    """
    selected, place = select_use_case(use_case or config), select_home(home)
    chosen = _chosen(selected, place, rules or (), table)
    outcomes = run_backtest(selected, place, chosen) if chosen else []
    if as_json:
        print(json_text([outcome_words(outcome) for outcome in outcomes]))
    else:
        print("\n".join(line for outcome in outcomes for line in outcome_lines(outcome)) or "no rule was edited")


def _chosen(use_case: UseCase, home: Home, rules: Sequence[str], table: str | None) -> RulesByTable:
    tables = (select_table(use_case, table),) if table else use_case.tables
    if not rules:
        edited = edited_rules_of(use_case, home)
        return {each.name: edited[each.name] for each in tables if each.name in edited}
    _require_known(rules, tables)
    found = {each.name: tuple(rule.id for rule in each.dq_rules if rule.id in rules) for each in tables}
    return {name: rule_ids for name, rule_ids in found.items() if rule_ids}


def _require_known(rules: Sequence[str], tables: Sequence[Table]) -> None:
    known = {rule.id for table in tables for rule in table.dq_rules}
    if unknown := [rule for rule in rules if rule not in known]:
        raise FluvialError(f"unknown rule {', '.join(unknown)}", f"there are {', '.join(sorted(known))}")
