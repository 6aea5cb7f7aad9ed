"""`${NAME}` in tables.yaml: names that are known only where the file runs."""

import os
import re
from collections.abc import Mapping
from typing import Final

_PLACEHOLDER: Final = re.compile(r"\$(\$?)\{([^}]*)\}?")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class UnknownPlaceholderError(LookupError):
    """A `${NAME}` that has no value; `.name` is what stands between the braces."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def local_placeholders(bootstrap_servers: str = "127.0.0.1:9092") -> dict[str, str]:
    """The names of the AWS deployment with values for the local profile; the environment wins."""
    defaults = {
        "STACK_NAME": "local",
        "AWS_ACCOUNT_ID": "000000000000",
        "AWS_REGION": "local",
        "MSK_BOOTSTRAP_SERVERS": bootstrap_servers,
    }
    return {name: os.environ.get(name) or value for name, value in defaults.items()}


def deployment_placeholders() -> dict[str, str]:
    """The same names for documents of a deployment: one that the environment lacks stands for itself."""
    return {name: os.environ.get(name) or f"${{{name}}}" for name in local_placeholders()}


def resolve_placeholders(text: str, values: Mapping[str, str]) -> str:
    """Every `${NAME}` replaced, `$${` left as a plain `${`; raises UnknownPlaceholderError."""

    def value_of(found: re.Match[str]) -> str:
        escape, name = found.groups()
        if escape:
            return found[0][1:]
        if not _NAME.fullmatch(name) or not found[0].endswith("}") or name not in values:
            raise UnknownPlaceholderError(name)
        return values[name]

    return _PLACEHOLDER.sub(value_of, text) if "${" in text else text
