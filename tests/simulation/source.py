"""A source database in a few integers: transactions, their log, snapshots, and what a connector sends of them."""

from random import Random
from typing import Final, NamedTuple

AUTHORED, UNCHANGED, ABSENT = range(3)
"""Whether an event states column b, leaves it out as unchanged TOAST, or comes from a time without that column."""
KEYS: Final = 3


class Change(NamedTuple):
    """A change event of a table with two columns: `a`, tracked and never left out, and `b`."""

    key: int | None
    epoch: int
    lsn: int
    operation: str
    commit_time: int
    a: int | None = None
    b: int | None = None
    b_kind: int = AUTHORED
    ends_snapshot: bool = False

    @property
    def payload_hash(self) -> int:
        """A number that differs where the content does, the same in every process: hash(None) is an address."""
        a, b = -9 if self.a is None else self.a, -9 if self.b is None else self.b
        return hash((a, b, self.b_kind, self.commit_time)) % 1009

    @property
    def is_bad(self) -> bool:
        """Whether the row breaks a rule: negative values of `a` do."""
        return self.a is not None and self.a < 0


class Source:
    """The database, its clock and its write-ahead log; `sent` is what a connector would send, in its order."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.rows: dict[int, tuple[int, int | None]] = {}
        self.sent: list[Change] = []
        self.forged: set[int] = set()
        self.lsn = 100
        self.clock = 1000
        self.epoch = 0
        self.has_b = random.random() < 0.9
        self.always_has_b = self.has_b

    def live(self, transactions: int) -> "Source":
        """Runs the database for a while."""
        if self.random.random() < 0.5:
            self.rows = {key: (self._value(), self._text()) for key in range(self.random.randrange(KEYS + 1))}
            if self.random.random() < 0.8:
                self._take_snapshot()
        for _ in range(transactions):
            self._tick()
            self._happen(self.random.random())
        return self

    def _happen(self, chance: float) -> None:
        if chance < 0.05:
            self._truncate()
        elif chance < 0.10:
            if self.random.random() < 0.6:
                self._live_uncaptured()
            self.epoch += 1
            self._take_snapshot()
        elif chance < 0.13:
            self.has_b = not self.has_b
            self.always_has_b = False
        elif chance < 0.30:
            self._two_transactions()
        else:
            self.sent += [self._change(key) for key in self._some_keys()]
            if chance > 0.94:
                self._forge()

    def _tick(self) -> None:
        # A clock step goes back further than the clock usually runs forward.
        step = self.random.random()
        self.clock += -15 if step < 0.06 else int(step * 4)

    def _some_keys(self) -> list[int]:
        return [int(self.random.random() * KEYS) for _ in range(1 + int(self.random.random() * 2.2))]

    def _two_transactions(self) -> None:
        """Two at once, with disjoint keys: positions interleave, the connector sends one after the other."""
        first: list[Change] = []
        second: list[Change] = []
        pivot = int(self.random.random() * KEYS)
        for key in (*self._some_keys(), *self._some_keys()):
            (first if key == pivot else second).append(self._change(key))
        self.sent += second + first

    def _change(self, key: int) -> Change:
        if key not in self.rows:
            return self._insert(key)
        chance = self.random.random()
        if chance < 0.25:
            del self.rows[key]
            return self._log(key, "DELETE")
        if chance < 0.32 and (free := [other for other in range(KEYS) if other not in self.rows]):
            return self._change_key(key, free[0])
        return self._update(key, leaves_out_b=chance < 0.65)

    def _update(self, key: int, leaves_out_b: bool) -> Change:
        a, b = self._value(), self.rows[key][1]
        if not self.has_b:
            self.rows[key] = (a, b)
            return self._log(key, "UPDATE", a, None, ABSENT)
        if leaves_out_b:
            self.rows[key] = (a, b)
            return self._log(key, "UPDATE", a, None, UNCHANGED)
        b = self._text()
        self.rows[key] = (a, b)
        return self._log(key, "UPDATE", a, b)

    def _insert(self, key: int) -> Change:
        a, b = self._value(), self._text() if self.has_b else None
        self.rows[key] = (a, b)
        return self._log(key, "INSERT", a, b, AUTHORED if self.has_b else ABSENT)

    def _change_key(self, old: int, new: int) -> Change:
        """A DELETE and an INSERT that share one position."""
        self.rows[new] = self.rows.pop(old)
        a, b = self.rows[new]
        self.sent.append(self._log(old, "DELETE"))
        self.lsn -= 1
        return self._log(new, "INSERT", a, b if self.has_b else None, AUTHORED if self.has_b else ABSENT)

    def _truncate(self) -> None:
        self.rows.clear()
        self.sent.append(self._log(None, "TRUNCATE"))

    def _live_uncaptured(self) -> None:
        """What happens while no slot exists reaches nobody."""
        known = len(self.sent)
        for key in (*self._some_keys(), *self._some_keys()):
            self._change(key)
        if self.random.random() < 0.15:
            self.rows.clear()
        del self.sent[known:]

    def _take_snapshot(self) -> None:
        """An interrupted snapshot is taken again from its beginning; what happened in between is in no stream."""
        lsn = self.lsn + int(self.random.random() * 6)
        if self.rows and self.random.random() < 0.25:
            self.sent += self._read_rows(lsn)[: int(self.random.random() * len(self.rows))]
            self._live_uncaptured()
            lsn = max(lsn, self.lsn) + 1
        rows = self._read_rows(lsn)
        if rows:
            self.sent += [*rows[:-1], rows[-1]._replace(ends_snapshot=True)]
        elif self.sent:
            # No row can carry the marker: whoever takes the snapshot truncates what is empty.
            self._truncate()

    def _read_rows(self, lsn: int) -> list[Change]:
        """Rows as of the slot's start, labelled with a later position and a later time."""
        time, kind = self.clock + int(self.random.random() * 6), AUTHORED if self.has_b else ABSENT
        return [
            Change(key, self.epoch, lsn, "READ", time, a, b if self.has_b else None, kind)
            for key, (a, b) in self.rows.items()
        ]

    def _forge(self) -> None:
        """A second event at the position of an earlier one: what no good source does."""
        original = self.sent[int(self.random.random() * len(self.sent))]
        if original.key is None:
            return
        self.forged.add(original.key)
        if self.random.random() < 0.3 and original.operation != "READ":
            self.sent.append(Change(original.key, original.epoch, original.lsn, "DELETE", original.commit_time))
        else:
            operation = "UPDATE" if original.operation == "DELETE" else original.operation
            time = original.commit_time + int(self.random.random() * 2) * 9
            self.sent.append(original._replace(operation=operation, a=self._value(), commit_time=time))

    def _log(
        self, key: int | None, operation: str, a: int | None = None, b: int | None = None, kind: int = 0
    ) -> Change:
        self.lsn += 1
        return Change(key, self.epoch, self.lsn, operation, self.clock, a, b, kind)

    def _value(self) -> int:
        # Few values, so that equal rows in sequence are frequent; one in thirty breaks the rule.
        chance = self.random.random()
        return -1 if chance < 0.035 else int(chance * 4)

    def _text(self) -> int | None:
        return int(self.random.random() * 4) or None
