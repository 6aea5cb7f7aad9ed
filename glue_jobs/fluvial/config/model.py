"""The models of tables.yaml: frozen, unknown keys forbidden, every value checked when it is built.

What isn't said table by table is in `settings`.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, model_validator

from fluvial.config.base import Model
from fluvial.config.circuit_breaker import CircuitBreaker
from fluvial.config.fields import ColumnName, Identifier, Location, TypeName
from fluvial.config.lake_shape import LakeColumn, LakeShape
from fluvial.config.references import REFERENCE_FILE
from fluvial.config.rules import Rule
from fluvial.config.settings import Kafka, Settings, SourceDatabase
from fluvial.config.settle import SettlePolicy
from fluvial.config.transforms import Transform

MAIN_LANE: Final = "main"
"""The lane of every table that names none."""


class Column(Model):
    """One column of a source table."""

    name: ColumnName
    """As in the source."""

    type: Annotated[TypeName, Field(examples=["string"])]
    """string, int, bigint, decimal(p,s), double, boolean, date, timestamp, binary, or PostgreSQL's names for them."""

    nullable: bool = True
    """Whether the source table lets the column be NULL."""

    classification: Literal["pii", "quasi", "private", "public"] | None = None
    """`pii` names a person, `quasi` does so together with others (birth date, postcode), `private` is about one."""


class DeequCheck(Model):
    """A metric and the threshold it is held against; it measures and never filters."""

    metric: Literal["completeness", "uniqueness", "compliance", "size"]
    """What is measured: a share between 0 and 1, or for `size` a number of rows."""

    column: ColumnName | None = None
    """Whose values are measured; `size` needs none."""

    threshold: Annotated[float, Field(ge=0, allow_inf_nan=False, examples=[0.99])]
    """The smallest value that isn't a breach."""

    severity: Literal["error", "warning"] = "warning"
    """How loudly a breach is told."""


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


class Table(Model):
    """One captured table: where it comes from, its shape, its rules, its transforms, its place in the lake."""

    name: Identifier
    """The source table, and the history table in the lake."""

    topic: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,249}$")] = ""
    """The Kafka topic that carries its changes; `cdc-<name>` unless given."""

    partitions: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Partitions of its topic; as `kafka` says unless given."""

    delta_path: Location | Literal[""] = ""
    """Where the history lies; below `delta_bucket` unless given."""

    lane: Identifier = MAIN_LANE
    """The lane that writes it; `main` unless given. A hot table gets a lane of its own."""

    primary_key: Annotated[
        tuple[ColumnName, ...], BeforeValidator(_as_tuple), Field(min_length=1, examples=["id", ["region", "id"]])
    ]
    """The column, or columns, that identify a row in the source."""

    columns: Annotated[
        tuple[Column, ...], Field(alias="schema", min_length=1, examples=[[{"name": "id", "type": "bigint"}]])
    ]
    """Every captured column."""

    dq_rules: tuple[Rule, ...] = ()
    """What each row must satisfy."""

    transforms: tuple[Transform, ...] = ()
    """What is changed before a row is written."""

    deequ_checks: tuple[DeequCheck, ...] = ()
    """What is measured in every micro-batch."""

    track_columns: tuple[ColumnName, ...] = ()
    """Columns of the history whose change opens a version, by their names there; all of them unless given."""

    sensitive: bool = False
    """Every column has to be classified, and every `pii` column masked, or the file is refused."""

    replica_identity: Literal["full", "default"] = "full"
    """What PostgreSQL writes of a row before a change: all of it, or its key."""

    dead_letter_payload: Literal["auto", "raw", "withheld"] = "auto"
    """Whether dead letters keep the raw bytes; `auto` withholds them where a column is masked."""

    settle: SettlePolicy | None = None
    """When the log is folded into the history; as `settings.settle` says unless given."""

    circuit_breaker: CircuitBreaker | None = None
    """When the table is stopped for its bad records; as `settings.circuit_breaker` says unless given."""

    @model_validator(mode="before")
    @classmethod
    def _default_topic(cls, data: Any) -> Any:
        if isinstance(data, dict) and not data.get("topic") and isinstance(data.get("name"), str):
            return {**data, "topic": f"cdc-{data['name']}"}
        return data

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the business columns, in the configured order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """The column of the source with that name; raises KeyError."""
        return {column.name: column for column in self.columns}[name]

    @property
    def value_columns(self) -> tuple[str, ...]:
        """The business columns outside the primary key."""
        return tuple(name for name in self.column_names if name not in self.primary_key)

    @property
    def masked_columns(self) -> frozenset[str]:
        """Columns of the source whose raw values may not be written anywhere."""
        masked: set[str] = set()
        for transform, shape in self.shapes():
            if transform.masks:
                masked |= shape[transform.column].sources
        return frozenset(masked)

    @property
    def ordered_transforms(self) -> tuple[Transform, ...]:
        """The transforms in the order they run: by `order`, then as written."""
        return tuple(sorted(self.transforms, key=lambda transform: transform.order))

    def shapes(self) -> Iterator[tuple[Transform, LakeShape]]:
        """Each transform with the columns it finds; those that name no column of theirs are passed over."""
        shape = self._source_shape
        for transform in self.ordered_transforms:
            if transform.column in shape or transform.creates or transform.on_row:
                yield transform, shape
                shape = transform.reshape(shape)

    @property
    def lake_shape(self) -> LakeShape:
        """The columns of log and history: those of the source after every transform."""
        shape = self._source_shape
        for transform, before in self.shapes():
            shape = transform.reshape(before)
        return shape

    @property
    def lake(self) -> "Table":
        """The table as log and history have it; rules and transforms belong to the source and are left behind."""
        nullable = {column.name: column.nullable for column in self.columns}
        columns = tuple(
            Column(name=name, type=found.type, nullable=nullable.get(name, True))
            for name, found in self.lake_shape.items()
        )
        return self.model_copy(update={"columns": columns, "dq_rules": (), "transforms": (), "deequ_checks": ()})

    @property
    def _source_shape(self) -> LakeShape:
        return {column.name: LakeColumn(column.type, frozenset({column.name})) for column in self.columns}


class ReferenceTable(Model):
    """A small CSV file beside tables.yaml that `join` transforms look up; it is read with the configuration."""

    name: Identifier
    """What `join` calls it."""

    file: Annotated[str, Field(pattern=f"^{REFERENCE_FILE}$", examples=["depots.csv"])]
    """Its name: UTF-8, a line of column names, then at most 5,000 rows; 256 KiB at most."""

    key: Annotated[str, Field(min_length=1, max_length=63, examples=["code"])]
    """The column that identifies a row of it."""


class UseCase(Model):
    """A whole tables.yaml; `name` is the folder that holds it."""

    name: str = ""
    """The folder's name; never written in the file."""

    settings: Settings
    """Where things lie and how often the stream runs."""

    kafka: Kafka
    """How to reach the broker."""

    source_database: SourceDatabase = SourceDatabase()
    """The database whose changes are captured."""

    reference_tables: tuple[ReferenceTable, ...] = ()
    """What `join` transforms look up."""

    tables: Annotated[tuple[Table, ...], Field(min_length=1)]
    """The captured tables."""

    def table(self, name: str) -> Table:
        """The table of that name; raises KeyError."""
        return {table.name: table for table in self.tables}[name]

    def settle_policy(self, table: Table) -> SettlePolicy:
        """The table's own policy, or the one of the settings."""
        return table.settle or self.settings.settle

    def circuit_breaker(self, table: Table) -> CircuitBreaker | None:
        """The table's own breaker, or the one of the settings; None where nothing stops it."""
        return table.circuit_breaker or self.settings.circuit_breaker

    @property
    def database_name(self) -> str:
        """Name of the source database: as configured, else the use case with underscores."""
        return self.source_database.database or self.name.replace("-", "_")
