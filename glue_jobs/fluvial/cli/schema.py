"""`fluvial schema`: what may stand in a tables.yaml, for editors and for readers."""

import sys
from enum import StrEnum
from typing import Annotated

import typer

from fluvial.config.json_schema import schema_text
from fluvial.config.reference import reference_page


class SchemaFormat(StrEnum):
    """For whom it is written."""

    JSON = "json"
    MARKDOWN = "markdown"


def schema(
    schema_format: Annotated[
        SchemaFormat, typer.Option("--format", help="JSON Schema, or the reference page.")
    ] = SchemaFormat.JSON,
) -> None:
    """Print the JSON Schema of tables.yaml, or its reference page; both are generated from the models."""
    sys.stdout.write(schema_text() if schema_format is SchemaFormat.JSON else reference_page())
