"""The JSON Schema of tables.yaml, generated from the models, for editors that complete and check while one types."""

import json
from typing import Any, Final

from fluvial.config.model import UseCase

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_PLACEHOLDER: Final = {"pattern": r"\$\{"}

Schema = dict[str, Any]
"""A JSON Schema, or a part of one."""


def tables_schema(model: type[UseCase] = UseCase) -> Schema:
    """What the model accepts in a file: no name, one key as text, placeholders wherever a text has a pattern."""
    schema = _as_written(model.model_json_schema())
    del schema["properties"]["name"]  # the folder names the use case
    _allow_one_key(schema["$defs"]["Table"]["properties"]["primary_key"])
    return {"$schema": DIALECT, **schema, "title": "tables.yaml"}


def _allow_one_key(key: Schema) -> None:
    """`primary_key: id` beside `primary_key: [id]`: the models turn the one into the other."""
    several = {"type": key.pop("type"), "items": key.pop("items"), "minItems": key.pop("minLength", 1)}
    key["anyOf"] = [several["items"], several]


def schema_text() -> str:
    """The file `config/tables.schema.json`."""
    return json.dumps(tables_schema(), indent=2, ensure_ascii=False) + "\n"


def _as_written(node: Any) -> Any:
    """The same schema for what stands in a file, before placeholders are resolved and empty `params:` are dropped."""
    if isinstance(node, list):
        return [_as_written(item) for item in node]
    if not isinstance(node, dict):
        return node
    written = {key: _as_written(value) for key, value in node.items() if key != "title" or isinstance(value, dict)}
    if isinstance(pattern := written.get("pattern"), str):
        del written["pattern"]
        if r"\p{" not in pattern:  # Rust's classes, which the regular expressions of JSON Schema don't have
            written["anyOf"] = [{"pattern": pattern}, _PLACEHOLDER]
    if "$ref" in (params := written.get("properties", {}).get("params", {})) and "default" in params:
        params["anyOf"] = [{"$ref": params.pop("$ref")}, {"type": "null"}]
    return written
