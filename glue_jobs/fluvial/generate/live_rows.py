"""What the generator knows of the rows that exist: their keys, and which of them break a rule right now."""

from collections.abc import Iterable, Iterator, Mapping
from random import Random

from fluvial.generate.draws import Value

Key = tuple[Value, ...]
"""Values of the primary-key columns, in the configured order."""


class LiveKeys:
    """The keys of one table; adding, removing and picking one at random take constant time."""

    def __init__(self, keys: Iterable[Key] = (), broken: Mapping[Key, frozenset[str]] | None = None) -> None:
        self._keys = list(keys)
        self._places = {key: place for place, key in enumerate(self._keys)}
        self._broken = dict(broken or {})

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, key: Key) -> bool:
        return key in self._places

    def __iter__(self) -> Iterator[Key]:
        return iter(self._keys)

    def pick(self, random: Random) -> Key:
        """Some key; the table may not be empty."""
        return self._keys[random.randrange(len(self._keys))]

    def add(self, key: Key, broken: frozenset[str] = frozenset()) -> None:
        """The key exists from now on, with these columns breaking a rule."""
        if key not in self._places:
            self._places[key] = len(self._keys)
            self._keys.append(key)
        self.mark(key, broken)

    def remove(self, key: Key) -> None:
        """The key is gone."""
        place, last = self._places.pop(key), self._keys.pop()
        if last != key:
            self._keys[place] = last
            self._places[last] = place
        self._broken.pop(key, None)

    def mark(self, key: Key, broken: frozenset[str]) -> None:
        """Which columns of the row break a rule; none means the row is good."""
        if broken:
            self._broken[key] = broken
        else:
            self._broken.pop(key, None)

    def broken_columns(self, key: Key) -> frozenset[str]:
        """The columns that break a rule in the row as it stands."""
        return self._broken.get(key, frozenset())
