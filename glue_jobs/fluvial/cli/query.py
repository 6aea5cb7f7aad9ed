"""`fluvial query`: SQL over the lake, without a JVM."""

import sys
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console

from fluvial.cli.query_output import csv_chunks, json_chunks, print_table
from fluvial.cli.selection import ConfigOption, HomeOption, select_home, select_use_case
from fluvial.errors import QueryError
from fluvial.io.query import open_lake, run_query


class OutputFormat(StrEnum):
    """How a result is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def query(
    sql: Annotated[str, typer.Argument(help="One reading statement.", show_default=False)],
    config: ConfigOption = None,
    home: HomeOption = None,
    output_format: Annotated[OutputFormat, typer.Option("--format", help="How to print the result.")] = (
        OutputFormat.TABLE
    ),
) -> None:
    """Ask TABLE, TABLE__current, TABLE__log, TABLE__quarantine, or a side table such as dead_letters, with SQL."""
    connection = open_lake(select_use_case(config), select_home(home).lake, sql)
    result = run_query(connection, sql)
    try:
        match output_format:
            case OutputFormat.JSON:
                sys.stdout.writelines(json_chunks(result))
            case OutputFormat.CSV:
                sys.stdout.writelines(csv_chunks(result))
            case OutputFormat.TABLE:
                print_table(result, Console())
    except OverflowError as error:
        raise QueryError(
            "a timestamp lies outside the years 1 to 9999", "cast that column to VARCHAR in the query"
        ) from error
