"""Schemas of the lake's tables as Spark DDL, for frames that must exist before the tables do."""

from collections.abc import Iterable
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from fluvial import columns as c
from fluvial.config.model import Table


def empty_frame(session: SparkSession, schema: str) -> DataFrame:
    """No rows of a schema."""
    return session.createDataFrame([], schema)


def empty_like(session: SparkSession, columns: Iterable[tuple[str, str]]) -> DataFrame:
    """No rows of these columns."""
    return empty_frame(session, columns_ddl(columns))


def columns_ddl(columns: Iterable[tuple[str, str]]) -> str:
    """Names and types, as `DataFrame.dtypes` tells them, as DDL."""
    return ", ".join(f"`{name}` {kind}" for name, kind in columns)


def column_types(session: SparkSession, schema: str) -> dict[str, Any]:
    """Types by lower-case name, as a Delta schema writes them."""
    fields = empty_frame(session, schema).schema.jsonValue()["fields"]
    return {field["name"].lower(): field["type"] for field in fields}


def history_schema(table: Table) -> str:
    """DDL of a history table."""
    return _ddl(
        table,
        {
            c.SEQUENCE: "string",
            c.OPERATION: "string",
            c.EFFECTIVE_FROM: "timestamp",
            c.EFFECTIVE_TO: "timestamp",
            c.IS_CURRENT: "boolean",
            c.END_SEQUENCE: "string",
            c.UNCERTAIN_SINCE: "string",
            c.UNRESOLVED: "array<string>",
            c.INGESTED_AT: "timestamp",
        },
    )


def log_schema(table: Table) -> str:
    """DDL of a log table."""
    return _ddl(
        table,
        {
            c.SEQUENCE: "string",
            c.OPERATION: "string",
            c.COMMIT_TIME: "timestamp",
            c.IS_QUARANTINED: "boolean",
            c.NOT_AUTHORED: "array<string>",
            c.WARNINGS: "array<string>",
            c.PAYLOAD_HASH: "bigint",
            c.SOURCE_POSITION: "string",
            c.TOPIC: "string",
            c.PARTITION: "int",
            c.OFFSET: "bigint",
            c.QUERY_ID: "string",
            c.BATCH_ID: "bigint",
            c.INGESTED_AT: "timestamp",
        },
    )


def _ddl(table: Table, system: dict[str, str]) -> str:
    business = {column.name: column.type for column in table.lake.columns}
    return columns_ddl((business | system).items())
