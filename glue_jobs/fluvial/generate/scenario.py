"""The models of scenario.yaml: frozen, unknown keys forbidden."""

from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from fluvial.config.fields import ColumnName, Identifier
from fluvial.generate.draws import Value
from fluvial.generate.numbers import Increment
from fluvial.generate.values import Reference, ValueKind

Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0)]


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Weights(_Model):
    """How likely each operation of a table is, against all operations of all tables."""

    insert: Weight = 1
    update: Weight = 1
    delete: Weight = 0


class UpdateKind(_Model):
    """One thing that happens to a row: the columns it sets, and how often it happens among the table's updates."""

    name: Identifier
    weight: Weight = 1
    set: Annotated[dict[ColumnName, ValueKind], Field(min_length=1)]


class ViolationKind(_Model):
    """One way to break a rule of tables.yaml; the rule says which column gets one of the values."""

    name: Identifier
    rule: str
    values: Annotated[tuple[Value, ...], Field(min_length=1)]
    weight: Weight = 1


class TableScenario(_Model):
    """One table's life."""

    initial_rows: Annotated[int, Field(ge=0)]
    min_rows: Annotated[int, Field(ge=0)] = 1
    """No deletes at or below it."""
    weights: Weights = Weights()
    violation_share: Share = 0
    """Share of the inserts and updates that break at least one rule."""
    violations_in: Annotated[tuple[Literal["insert", "update"], ...], Field(min_length=1)] = ("insert", "update")
    """What may break a rule; a table whose inserts keep them shows as many current rows as the source."""
    key_change_share: Share = 0
    """Share of the updates that change the primary key."""
    columns: Annotated[dict[ColumnName, ValueKind], Field(min_length=1)]
    updates: tuple[UpdateKind, ...] = ()
    violations: tuple[ViolationKind, ...] = ()

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if any(isinstance(kind, Increment) for kind in self.columns.values()):
            raise ValueError("`increase` belongs into updates: a new row has nothing to add to")
        if self.weights.update and not self.updates:
            raise ValueError("weights.update is above 0 but `updates` is empty")
        if self.violation_share and not self.violations:
            raise ValueError("violation_share is above 0 but `violations` is empty")
        return self

    @property
    def references(self) -> frozenset[str]:
        """Tables that need a row before this one can get one."""
        return frozenset(kind.table for kind in self.columns.values() if isinstance(kind, Reference))


class TransactionShape(_Model):
    """How changes are grouped."""

    multi_statement_share: Share = 0.3
    max_statements: Annotated[int, Field(ge=2, le=1000)] = 5
    repeated_update_share: Share = 0.05
    """Share of the updates that hit the same row two to four times in one transaction."""


class Scenario(_Model):
    """A whole scenario.yaml."""

    clock_start: Annotated[datetime, AfterValidator(_in_utc)]
    """Where the scenario's own time starts; a wall clock would make two runs of one seed differ."""
    changes_per_second: Annotated[float, Field(gt=0)] = 20
    transactions: TransactionShape = TransactionShape()
    tables: Annotated[dict[Identifier, TableScenario], Field(min_length=1)]

    def without_violations(self) -> "Scenario":
        """The same life, with nobody breaking a rule."""
        tables = {name: plan.model_copy(update={"violation_share": 0.0}) for name, plan in self.tables.items()}
        return self.model_copy(update={"tables": tables})
