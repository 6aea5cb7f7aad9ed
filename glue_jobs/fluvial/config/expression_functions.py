"""The functions that expressions may call, as methods or as filters."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fluvial.config.types import Family

LIST: Final = "list of texts"
Kind = Family | str | None
"""What a term is; LIST only between `split` and `[…]`, None where only null stands."""


@dataclass(frozen=True)
class Function:
    """A method or filter: what it takes, what it gives (None: the kind it took), and the kinds of its constants."""

    takes: frozenset[Family]
    gives: Kind
    constants: tuple[type, ...] = ()
    required: int = 0


_TEXT: Final = frozenset({Family.TEXT})
_NUMBER: Final = frozenset({Family.NUMBER})
FUNCTIONS: Final[Mapping[str, Function]] = {
    "upper": Function(_TEXT, Family.TEXT),
    "lower": Function(_TEXT, Family.TEXT),
    "trim": Function(_TEXT, Family.TEXT),
    "strip": Function(_TEXT, Family.TEXT),
    "length": Function(_TEXT, Family.NUMBER),
    "replace": Function(_TEXT, Family.TEXT, (str, str), 2),
    "startswith": Function(_TEXT, Family.BOOLEAN, (str,), 1),
    "endswith": Function(_TEXT, Family.BOOLEAN, (str,), 1),
    "split": Function(_TEXT, LIST, (str,), 1),
    "round": Function(_NUMBER, Family.NUMBER, (int,)),
    "abs": Function(_NUMBER, Family.NUMBER),
    "string": Function(frozenset(Family) - {Family.BYTES}, Family.TEXT),
}
