"""pydantic's errors as findings: a stable code, what was expected and found, and the nearest right word."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from fluvial.config.codes import Code
from fluvial.config.findings import MOST_FINDINGS, Finding, Path, describe, did_you_mean, one_of
from fluvial.config.schema_place import schema_root
from fluvial.config.types import known_type_names

_EXPECTED: Final = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list",
    "model_type": "a mapping of keys",
    "model_attributes_type": "a mapping of keys",
    "dict_type": "a mapping of keys",
    "wrong_bound": "a number, a date or a timestamp",
}
_WRONG_VALUE_CODES: Final = {"wrong_regex": Code.WRONG_REGEX, "wrong_bound": Code.WRONG_BOUND}
_HINTS: Final = {
    "name": "a letter first, then letters, digits and underscores, 63 at most",
    "file": "the name of a CSV file beside this one, like depots.csv",
    "extensions": "the name of a Python file beside this one, without .py",
    "new_name": "a letter first, then letters, digits and underscores, 63 at most",
    "column": "a letter first, then letters, digits and underscores, 63 at most",
    "schema_name": "a letter first, then letters, digits and underscores, 63 at most",
    "database": "a letter first, then letters, digits and underscores, 63 at most",
    "topic": "letters, digits, dots, dashes and underscores, 249 at most",
    "trigger_interval": "write it like '10 seconds', '500 milliseconds' or '1 minute'",
    "primary_key": "name one column, or several in a list",
    "wrong_regex": "Spark runs it as a Java regular expression; quote it in single quotes, so that YAML keeps \\",
    "wrong_bound": "quote dates and timestamps: '2024-01-31'",
    "no_limit": "like {policy: rows, rows: 100000}, {policy: bytes, bytes: 64MB} or {policy: age, age: 10 minutes}",
    "stray_limit": "leave it out, or choose the policy of that name; `max_age` goes with rows and bytes",
    "bytes": "write it like '64MB' or '512 KiB'",
    "age": "write it like '30 seconds', '10 minutes' or '1 hour'",
    "max_age": "write it like '30 seconds', '10 minutes' or '1 hour'",
    "not_one": "dates: `to: year` or `month`; numbers: `band: 10`; texts: `prefix: 3`",
    "wrong_reference": "write env:NAME or aws:NAME; the secret itself never stands here",
    "no_bound": "add `params: {min: …, max: …}` with at least one of the two",
    "upward_path": "name the place from its bucket down",
    "wrong_scheme": "write s3://bucket/key",
    "wrong_character": "use letters, digits and . _ - = / only",
    "bootstrap_servers": "write it like host:9096, several separated by commas",
    "username": "letters, digits and . _ @ + = - only, 128 at most",
    "id": "1 to 128 printable characters",
    "too_short": "add one",
    "too_long": "remove some",
    "string_too_short": "write at least one character",
    "string_too_long": "shorten it",
    "int_type": "write digits only",
    "int_parsing": "write digits only",
    "int_from_float": "write digits only",
    "float_type": "write digits only, and a point where needed",
    "float_parsing": "write digits only, and a point where needed",
    "bool_type": "write true or false",
    "bool_parsing": "write true or false",
    "model_type": "write `key: value` lines below it, indented",
    "model_attributes_type": "write `key: value` lines below it, indented",
    "dict_type": "write `key: value` lines below it, indented",
    "value_error": "see the reference of column types: docs/reference/tables-yaml.md",
    "less_than_equal": "write a smaller number",
    "less_than": "write a smaller number",
    "greater_than_equal": "write a larger number",
    "greater_than": "write a larger number",
    "finite_number": "write a plain number",
}


def shape_findings(error: ValidationError) -> Iterator[Finding]:
    """Every error of the model; one for each place, however many alternatives pydantic tried."""
    seen: set[tuple[Path, Code]] = set()
    for details in islice(error.errors(include_url=False), MOST_FINDINGS):
        if details["type"] == "too_short" and details["input"]:
            continue  # pydantic counts the items without those that have an error of their own
        finding = _finding(details)
        if (finding.path, finding.code) not in seen:
            seen.add((finding.path, finding.code))
            yield finding


def _finding(details: ErrorDetails) -> Finding:
    path, kind = details["loc"], details["type"]
    match kind:
        case "extra_forbidden":
            return _unknown_key(path)
        case "missing":
            expected = f"the key '{path[-1]}'"
            return Finding(path, Code.MISSING_KEY, f"'{path[-1]}' is missing", _missing_hint(path), expected, "nothing")
        case "union_tag_invalid":
            return _unknown_kind(details)
        case "union_tag_not_found":
            known = schema_root().at(path).tags()
            hint = f"known: {', '.join(known)}"
            return Finding(path, Code.MISSING_KEY, "'type' is missing", hint, one_of(known), "nothing")
        case "unknown_type":
            found = str(details["input"])
            hint, expected = did_you_mean(found, known_type_names()), one_of(known_type_names())
            return Finding(path, Code.UNKNOWN_TYPE, details["msg"], hint, expected, describe(found))
        case "literal_error":
            return _wrong_choice(details)
    return _wrong_value(details)


def _unknown_key(path: Path) -> Finding:
    name, known = str(path[-1]), schema_root().at(path[:-1]).keys()
    hint, found = did_you_mean(name, known), describe(name)
    return Finding(path, Code.UNKNOWN_KEY, f"unknown key {found}", hint, one_of(known), found, at_key=True)


def _missing_hint(path: Path) -> str:
    place = schema_root().at(path)
    line = f"{path[-1]}: {place.example()}".rstrip()
    return f"add `{line}`: {place.description()}".removesuffix(": ")


def _unknown_kind(details: ErrorDetails) -> Finding:
    path, tag = details["loc"], str(details["ctx"]["tag"])
    is_rule = "dq_rules" in path
    kind, code = ("rule", Code.UNKNOWN_RULE) if is_rule else ("transform", Code.UNKNOWN_TRANSFORM)
    known, found = schema_root().at(path).tags(), describe(tag)
    return Finding((*path, "type"), code, f"unknown {kind} {found}", did_you_mean(tag, known), one_of(known), found)


def _wrong_choice(details: ErrorDetails) -> Finding:
    path, known, found = details["loc"], schema_root().at(details["loc"]).choices(), details["input"]
    message = f"{_named(path)} can't be {describe(found)}"
    hint = did_you_mean(str(found), known)
    return Finding(path, Code.WRONG_VALUE, message, hint, one_of(known), describe(found))


def _wrong_value(details: ErrorDetails) -> Finding:
    path, kind, found = details["loc"], details["type"], details["input"]
    hint = _HINTS.get(kind) or _writing_hint(kind, found) or _HINTS.get(str(_last_key(path)), "")
    if kind == "wrong_reference":
        message = f"{_named(path)} isn't a reference to a secret"
        return Finding(path, Code.WRONG_VALUE, message, hint, hint, is_secret=True)
    if kind == "string_pattern_mismatch" and str(found).startswith("_") and _last_key(path) in {"name", "column"}:
        message = f"{describe(found)}: names with a leading underscore belong to Fluvial"
        hint = f"rename it, for example to '{str(found).lstrip('_')}'"
        return Finding(path, Code.RESERVED_NAME, message, hint, "no leading underscore", describe(found))
    if kind in _EXPECTED:
        expected, code = _EXPECTED[kind], _WRONG_VALUE_CODES.get(kind, Code.WRONG_TYPE)
        message = f"{_named(path)}: expected {expected}, found {describe(found)}"
        return Finding(path, code, message, hint, expected, describe(found))
    if kind == "string_pattern_mismatch":
        message = f"{describe(found)} isn't a usable {_last_key(path)}"
        return Finding(path, Code.WRONG_VALUE, message, hint, hint, describe(found))
    reason = "needs at least one item" if kind == "too_short" else details["msg"].removeprefix("Value error, ")
    code = _WRONG_VALUE_CODES.get(kind, Code.WRONG_VALUE)
    return Finding(path, code, f"{_named(path)}: {reason}", hint, found=describe(found))


def _writing_hint(kind: str, found: object) -> str:
    if kind == "string_type" and isinstance(found, int | float):
        return f"quote it: '{str(found).lower()}'"
    if kind == "tuple_type":
        return "each item on a line of its own, after a dash" if found is not None else "leave the key out, or write []"
    return ""


def _last_key(path: Path) -> str | int:
    return next((part for part in reversed(path) if isinstance(part, str)), "")


def _named(path: Path) -> str:
    return f"'{_last_key(path)}'" if path else "the file"
