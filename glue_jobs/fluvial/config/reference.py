"""The reference page of tables.yaml, generated from the models, so that it can't say anything else."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from fluvial.config.codes import Code
from fluvial.config.json_schema import Schema
from fluvial.config.model import UseCase
from fluvial.config.types import known_type_names

_HEAD: Final = """\
# tables.yaml: every key

Generated from the models by `make schema`; the same models check the file, so this page says what is accepted.
Editors that know JSON Schema complete and check a file that begins with this line:

```yaml
# yaml-language-server: $schema=../tables.schema.json
```

An unknown key is an error. `${NAME}` may stand in any text. The README has a [whole file](../../README.md#tablesyaml).
"""
_PLAIN: Final = re.compile(r"[A-Za-z_][\w -]*|\d+ \w+")
"""A text that YAML takes for one without quotes."""

_SECTIONS: Final = (
    ("Settings", "settings"),
    ("SettlePolicy", "settle, in settings and in a table"),
    ("CircuitBreaker", "circuit_breaker, in settings and in a table"),
    ("Kafka", "kafka"),
    ("SourceDatabase", "source_database"),
    ("Table", "each of tables"),
    ("Column", "each of schema"),
    ("DeequCheck", "each of deequ_checks"),
)


def reference_page() -> str:
    """Markdown: the sections of the file, the kinds of rules and transforms, types, and problem codes."""
    schema = UseCase.model_json_schema()
    return "\n".join([_HEAD, *_sections(schema), *_kinds(schema), *_types(), *_codes()]).rstrip() + "\n"


def _sections(schema: Schema) -> Iterator[str]:
    for name, title in _SECTIONS:
        part = schema["$defs"][name]
        yield f"## {title}\n\n{part['description']}\n"
        yield from _table_of_keys(part)


def _kinds(schema: Schema) -> Iterator[str]:
    for key, title in (("dq_rules", "Rules"), ("transforms", "Transforms")):
        kinds = schema["$defs"]["Table"]["properties"][key]["items"]["discriminator"]["mapping"]
        parts = {kind: _resolved(schema, reference) for kind, reference in kinds.items()}
        first = next(iter(parts.values()))
        yield f"## {title}: each of {key}\n"
        yield from _table_of_keys({**first, "properties": _without(first["properties"], {"type", "params"})})
        for kind, part in parts.items():
            yield f"### `{kind}`\n\n{part['description']}\n"
            yield from _params(schema, part["properties"].get("params", {}))


def _params(schema: Schema, params: Schema) -> Iterator[str]:
    part = _resolved(schema, params.get("$ref", ""))
    if not part.get("properties"):
        return
    yield from _table_of_keys(part, "params")
    for example in params.get("examples", [])[:1]:
        yield f"For example `params: {_flow(example)}`.\n"


def _types() -> Iterator[str]:
    yield "## Types of columns\n"
    yield f"{', '.join(f'`{name}`' for name in known_type_names())}. `numeric` is `decimal`, a length such as"
    yield "`varchar(40)` is read over. Dates and timestamps lie in the years 1 to 9999: what lies beyond, PostgreSQL's"
    yield "`infinity` included, can't be read, so that its event breaks `schema.type`.\n"


def _codes() -> Iterator[str]:
    yield "## Problem codes\n\n`E` is an error, `W` a warning. A code never changes its meaning.\n"
    yield "| code | says |\n|---|---|"
    yield from (f"| {code.value} | {code.name.replace('_', ' ').lower()} |" for code in Code)


def _table_of_keys(part: Schema, heading: str = "key") -> Iterator[str]:
    yield f"| {heading} | is | default |\n|---|---|---|"
    required = part.get("required", ())
    for name, key in part["properties"].items():
        default = "required" if name in required else _default(key)
        yield f"| `{name}` | {_meaning(key)} | {default} |"
    yield ""


def _meaning(key: Schema) -> str:
    description = " ".join(key.get("description", "").split())
    choices = [f"`{choice}`" for choice in _choices(key)]
    one_of = f"One of {', '.join(choices)}. " if choices else ""
    return (one_of + description).replace("|", "\\|")


def _choices(key: Schema) -> list[Any]:
    found = [*key.get("enum", [])]
    for alternative in key.get("anyOf", []):
        found.extend(alternative.get("enum", []))
    return found


def _default(key: Schema) -> str:
    match key.get("default"):
        case None | "" | []:
            return ""
        case default:
            return f"`{_flow(default)}`"


def _flow(value: Any) -> str:
    """As it is written in YAML's flow style."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(inner)}" for key, inner in value.items() if inner is not None) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return value if isinstance(value, str) and _PLAIN.fullmatch(value) else json.dumps(value)


def _resolved(schema: Schema, reference: str) -> Schema:
    found: Schema = schema["$defs"].get(reference.rpartition("/")[2], {})
    return found


def _without(properties: Schema, names: set[str]) -> Schema:
    return {name: key for name, key in properties.items() if name not in names}
