"""Two versions of a compiled document, and the places in which they differ."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

_ABSENT: Final = object()


@dataclass(frozen=True)
class DocumentChange:
    """One place of one document; None where there was or is nothing."""

    document: str
    place: str
    before: Any
    after: Any

    def as_json(self) -> dict[str, Any]:
        """The change as data."""
        return asdict(self)


def diff_documents(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[DocumentChange, ...]:
    """Every difference between documents by name; a text is compared line by line."""
    names = [*after, *(name for name in before if name not in after)]
    return tuple(
        DocumentChange(name, place, *(None if side is _ABSENT else side for side in (old, new)))
        for name in names
        for place, old, new in _differences("", _split(before.get(name, _ABSENT)), _split(after.get(name, _ABSENT)))
    )


def _split(value: Any) -> Any:
    """A script as its statements, so that one more of them isn't a different script."""
    return {part.strip(): True for part in value.split(";\n") if part.strip()} if isinstance(value, str) else value


def _differences(place: str, before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
    if before == after:
        return
    parts = [_members(side) for side in (before, after)]
    if parts[0] is None or parts[1] is None:
        yield place, before, after
        return
    for name in dict.fromkeys([*parts[0], *parts[1]]):
        inner = f"{place}.{name}" if place else name
        yield from _differences(inner, parts[0].get(name, _ABSENT), parts[1].get(name, _ABSENT))


def _members(value: Any) -> dict[str, Any] | None:
    """Members by name, items of a list by what names them; None for anything without members."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return {_name(item, number): item for number, item in enumerate(value)}
    return None


def _name(item: Any, number: int) -> str:
    if not isinstance(item, Mapping):
        return str(number)
    if "operation" in item:
        return "/".join(str(value) for value in item.values())
    return str(item.get("rule-name") or item.get("name") or number)
