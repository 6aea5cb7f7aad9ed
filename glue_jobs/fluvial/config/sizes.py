"""Numbers of bytes as tables.yaml writes them: `64MB`, `512 KiB`."""

from typing import Annotated, Final

from pydantic import Field

_UNITS: Final = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}

Size = Annotated[str, Field(pattern=r"^[1-9]\d{0,11} ?(B|kB|MB|GB|KiB|MiB|GiB)$", examples=["64MB"])]
"""A number of bytes: `64MB`, `512 KiB`."""


def size_in_bytes(text: str) -> int:
    """The number of a text that its field's pattern has let pass."""
    digits = text.rstrip("BkKMGi ")
    return int(digits) * _UNITS[text[len(digits) :].strip()]
