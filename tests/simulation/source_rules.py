"""What Hypothesis may do to a source and its topic; each rule is one transaction, or one habit of a connector."""

from random import Random
from typing import Final

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from tests.simulation.delivery import CONTROL, EVENT, GARBAGE, TOMBSTONE, Record
from tests.simulation.model import Batch
from tests.simulation.source import KEYS, Change, Source

PICK: Final = st.integers(0, 999)
"""Which of several, modulo their number."""
_KEY: Final = st.integers(0, KEYS - 1)
_KEYS: Final = st.lists(_KEY, min_size=1, max_size=4)


class SourceRules(RuleBasedStateMachine):
    """A source whose changes wait in a topic; `read` of its `records` were taken, in batches of a query."""

    def open_source(self, number: int) -> None:
        """A database with a few rows, which the connector has just copied."""
        random = Random(number)
        self.source = Source(random)
        self.records: list[Record] = []
        self.read = self.sent = self.query = self.batch_id = 0
        self.unfinished: tuple[Batch, list[Record]] | None = None
        self.source.rows = {key: (self.source._value(), self.source._text()) for key in range(random.randrange(KEYS))}
        self.source._take_snapshot()
        self._commit()

    @rule(key=_KEY)
    def insert(self, key: int) -> None:
        self._delete(key)
        self._commit(self.source._insert(key))

    @rule(keys=_KEYS, leaves_out_b=st.booleans())
    def update(self, keys: list[int], leaves_out_b: bool) -> None:
        for key in keys:
            self._insert(key)
            self.source.sent.append(self.source._update(key, leaves_out_b))
        self._commit()

    @rule(keys=_KEYS)
    def delete(self, keys: list[int]) -> None:
        for key in keys:
            self._insert(key)
            self._delete(key)
        self._commit()

    @rule(old=_KEY, new=_KEY)
    def change_key(self, old: int, new: int) -> None:
        if old != new:
            self._insert(old)
            self._delete(new)
            self._commit(self.source._change_key(old, new))

    @rule()
    def truncate(self) -> None:
        self.source._truncate()
        self._commit()

    @rule()
    def ddl(self) -> None:
        """Column b is dropped, or added."""
        self.source.has_b = not self.source.has_b
        self.source.always_has_b = False

    @rule()
    def snapshot(self) -> None:
        """A new slot, and with it a new epoch."""
        self.source.epoch += 1
        self.source._take_snapshot()
        self._commit()

    @rule()
    def lose_slot(self) -> None:
        """Something happens that no stream tells, then a new slot begins with a snapshot."""
        self.source._live_uncaptured()
        self.snapshot()

    @rule()
    def forge(self) -> None:
        """A second event at the position of an earlier one."""
        if self.source.sent:
            self.source._forge()
            self._commit()

    @rule(start=PICK, length=st.integers(1, 8))
    def replay(self, start: int, length: int) -> None:
        """A restarted connector sends a span of changes again, at new offsets."""
        sent = self.source.sent
        start %= max(1, len(sent))
        self._produce(*((EVENT, change) for change in sent[start : start + length]))

    @rule(kind=st.sampled_from([TOMBSTONE, CONTROL, GARBAGE]))
    def noise(self, kind: int) -> None:
        self._produce((kind, None))

    def _insert(self, key: int) -> None:
        """Within the transaction that is open; where the row isn't there."""
        if key not in self.source.rows:
            self.source.sent.append(self.source._insert(key))

    def _delete(self, key: int) -> None:
        """Within the transaction that is open; where the row is there."""
        if self.source.rows.pop(key, None) is not None:
            self.source.sent.append(self.source._log(key, "DELETE"))

    def _commit(self, *changes: Change) -> None:
        self.source.sent += changes
        self.source._tick()
        self._produce(*((EVENT, change) for change in self.source.sent[self.sent :]))
        self.sent = len(self.source.sent)

    def _produce(self, *payloads: tuple[int, Change | None]) -> None:
        first = len(self.records)
        self.records += [Record(0, first + number, *payload) for number, payload in enumerate(payloads)]

    def _next_batch(self, size: int, order: int) -> tuple[Batch, list[Record]]:
        if self.unfinished:
            return self.unfinished
        records = self.records[self.read : self.read + size]
        Random(order).shuffle(records)
        batch = (self.query, self.batch_id)
        self.read, self.batch_id = self.read + len(records), self.batch_id + 1
        return batch, records


def run_examples(machine: type[SourceRules], number: int, examples: int, steps: int, *, shrinks: bool) -> None:
    """Runs a machine; the same number draws the same examples, on every machine and every day."""
    seed(number)(machine)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            database=None,
            deadline=None,
            report_multiple_bugs=False,
            phases=(Phase.generate, Phase.shrink) if shrinks else (Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )
