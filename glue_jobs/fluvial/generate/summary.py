"""What a generator run did, counted."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from fluvial.columns import DELETE, INSERT, UPDATE
from fluvial.generate.statements import Transaction


@dataclass
class Summary:
    """Counts of a run, filled as transactions are committed."""

    transactions: int = 0
    seconds: float = 0
    operations: Counter[tuple[str, str]] = field(default_factory=Counter)
    violations: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def changes(self) -> int:
        """Statements in all."""
        return self.operations.total()

    def add(self, transaction: Transaction) -> None:
        """Counts one committed transaction."""
        self.transactions += 1
        for statement in transaction:
            self.operations[statement.table, statement.operation] += 1
            self.violations.update((statement.table, name) for name in statement.violations)

    def as_json(self, tables: Mapping[str, object] | tuple[str, ...]) -> dict[str, object]:
        """The counts for each of the tables, fit for JSON."""
        return {
            "transactions": self.transactions,
            "changes": self.changes,
            "seconds": round(self.seconds, 3),
            "tables": {table: self._table(table) for table in tables},
        }

    def _table(self, table: str) -> dict[str, object]:
        kinds = sorted(name for of, name in self.violations if of == table)
        return {
            "inserted": self.operations[table, INSERT],
            "updated": self.operations[table, UPDATE],
            "deleted": self.operations[table, DELETE],
            "violations": {kind: self.violations[table, kind] for kind in kinds},
        }
