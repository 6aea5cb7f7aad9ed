"""Places in the JSON Schema of tables.yaml: what could have been written where an error is."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Any

from fluvial.config.findings import Path
from fluvial.config.model import UseCase


@dataclass(frozen=True)
class SchemaPlace:
    """One node of the schema; an empty one where the location leads out of it."""

    node: Mapping[str, Any]

    def at(self, path: Path) -> "SchemaPlace":
        """The schema of a location below, as pydantic names it: keys, positions, tags of alternatives."""
        place = self
        for part in path:
            place = place._child(part)
        return place

    def keys(self) -> list[str]:
        """The keys that a mapping may have."""
        return list(self._resolved().get("properties", {}))

    def tags(self) -> list[str]:
        """The values of `type`, one for each alternative."""
        return list(self._resolved().get("discriminator", {}).get("mapping", {}))

    def choices(self) -> list[str]:
        """The values that a key may have."""
        node = self._resolved()
        return [str(choice) for choice in node.get("enum", [node.get("const", "")])]

    def example(self) -> str:
        """One value as it could be written."""
        example = next(iter(self.node.get("examples", [])), "")
        return example if isinstance(example, str) else json.dumps(example)

    def description(self) -> str:
        """What the key is for, in its first line."""
        return str(self.node.get("description", "")).partition("\n")[0]

    def _child(self, part: str | int) -> "SchemaPlace":
        node = self._resolved()
        if isinstance(part, int):
            found = node.get("items", {})
        else:
            tagged = node.get("discriminator", {}).get("mapping", {}).get(part)
            found = {"$ref": tagged} if tagged else node.get("properties", {}).get(part, {})
        return SchemaPlace(found)

    def _resolved(self) -> Mapping[str, Any]:
        node = self.node
        if "anyOf" in node:
            node = next(choice for choice in node["anyOf"] if choice.get("type") != "null")
        if "$ref" in node:
            node = _schema(_described.get())["$defs"][node["$ref"].rpartition("/")[2]]
        return node


_described: ContextVar[type[UseCase]] = ContextVar("described", default=UseCase)


@contextmanager
def described_by(model: type[UseCase]) -> Iterator[None]:
    """Inside, places are those of this model's schema: it may know kinds that a use case registered."""
    token = _described.set(model)
    try:
        yield
    finally:
        _described.reset(token)


@cache
def _schema(model: type[UseCase]) -> dict[str, Any]:
    schema = model.model_json_schema()
    del schema["properties"]["name"]  # the folder names the use case
    return schema


def schema_root() -> SchemaPlace:
    """The whole file."""
    return SchemaPlace(_schema(_described.get()))
