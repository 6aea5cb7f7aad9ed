"""Secrets by their references, and the keys derived from them beside the events that need them."""

import os
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import BinaryType, StringType, StructField, StructType

from fluvial.config.model import Table
from fluvial.errors import SecretError
from fluvial.transforms.hide import key_uses

SECRETS_FOLDER: Final = "FLUVIAL_SECRETS"
"""Names the folder in which the local profile keeps secrets; unset on AWS."""
_SHORTEST: Final = 32


def read_secret(reference: str) -> bytes:
    """The secret behind `env:NAME` or `aws:NAME`; raises SecretError, which never tells any of it."""
    kind, _, name = reference.partition(":")
    secret = os.environ.get(name, "") if kind == "env" else ""
    secret = secret or _from_folder(reference) or (_from_secrets_manager(name) if kind == "aws" else "")
    if not secret:
        raise SecretError(f"the secret {reference} has no value", "set it where the streaming job runs")
    if len(secret) < _SHORTEST:
        message = f"the secret {reference} has fewer than {_SHORTEST} characters"
        raise SecretError(message, "make one with `openssl rand -base64 48`")
    return secret.encode()


def is_set(reference: str) -> bool:
    """Whether the environment of this process has it."""
    kind, _, name = reference.partition(":")
    return kind == "env" and bool(os.environ.get(name))


def file_of(folder: Path, reference: str) -> Path:
    """Where the local profile keeps it."""
    return folder / quote(reference, safe="")


def _from_folder(reference: str) -> str:
    folder = os.environ.get(SECRETS_FOLDER)
    file = file_of(Path(folder), reference) if folder else None
    return file.read_text(encoding="utf-8") if file is not None and file.is_file() else ""


def _from_secrets_manager(name: str) -> str:
    import boto3  # noqa: PLC0415 - the local profile needs none of it
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        found = boto3.client("secretsmanager").get_secret_value(SecretId=name)
    except (BotoCoreError, ClientError) as error:
        hint = "the job's role needs secretsmanager:GetSecretValue for it, in the same region"
        raise SecretError(f"the secret aws:{name} can't be read: {type(error).__name__}", hint) from error
    return str(found.get("SecretString", ""))


def keys_of(table: Table, session: SparkSession) -> DataFrame | None:
    """One row with the keys of the table's transforms, None where they take none; raises SecretError."""
    columns: dict[str, Any] = {}
    for use in key_uses(table):
        columns |= use.columns(read_secret(use.reference))
    return _one_row(session, columns) if columns else None


def with_keys(events: DataFrame, keys: DataFrame | None) -> DataFrame:
    """The events with the keys beside each; the same frame where there are none."""
    return events if keys is None else events.crossJoin(F.broadcast(keys))


def _one_row(session: SparkSession, columns: dict[str, Any]) -> DataFrame:
    """A frame whose values no plan prints and no file holds, as they would if Python made the frame."""
    jvm: Any = session._jvm  # noqa: SLF001 - only the JVM's own call keeps the row in memory
    kinds = {name: BinaryType() if isinstance(value, bytes) else StringType() for name, value in columns.items()}
    schema = StructType([StructField(name, kind) for name, kind in kinds.items()])
    gateway: Any = session.sparkContext._gateway  # noqa: SLF001
    values = gateway.new_array(jvm.java.lang.Object, len(columns))
    for position, value in enumerate(columns.values()):
        values[position] = bytearray(value) if isinstance(value, bytes) else value
    rows = jvm.java.util.ArrayList()
    rows.add(jvm.org.apache.spark.sql.RowFactory.create(values))
    java_session: Any = session._jsparkSession  # noqa: SLF001
    made = java_session.createDataFrame(rows, java_session.parseDataType(schema.json()))
    return DataFrame(made, session)
