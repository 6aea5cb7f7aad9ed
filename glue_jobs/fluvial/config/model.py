"""The models of tables.yaml: frozen, unknown keys forbidden, every value checked when it is built."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from fluvial.config.base import Model
from fluvial.config.fields import ColumnName, Identifier, TypeName
from fluvial.config.lake_shape import LakeColumn, LakeShape
from fluvial.config.references import REFERENCE_FILE
from fluvial.config.rules import Rule
from fluvial.config.settle import SettlePolicy
from fluvial.config.transforms import Transform

# Paths stand in SQL text and in URLs; S3 itself advises against the rest.
_NOT_IN_PATHS: Final = re.compile(r"[^A-Za-z0-9 ._~=@:/()!*,${}+-]")


def _safe_location(location: str) -> str:
    scheme, separator, rest = location.partition("://")
    if separator and scheme not in {"s3", "s3a", "file"}:
        raise PydanticCustomError("wrong_scheme", "'{scheme}://' isn't a known kind of place", {"scheme": scheme})
    if ".." in (rest or scheme).split("/"):
        raise PydanticCustomError("upward_path", "'..' would lead out of the lake")
    if found := _NOT_IN_PATHS.search(location):
        raise PydanticCustomError("wrong_character", "{found} can't stand in a path", {"found": ascii(found[0])})
    return location


Interval = Annotated[str, Field(pattern=r"^\d+ (milli)?seconds?$|^\d+ minutes?$")]
"""`10 seconds`, `500 milliseconds`, `1 minute`."""

MAIN_LANE: Final = "main"
"""The lane of every table that names none."""

Location = Annotated[str, Field(min_length=1), AfterValidator(_safe_location)]
"""`s3://bucket/key`; on the local profile a folder of the lake."""


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


EXTENSION_NAME: Final = r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*"


class LaneSettings(Model):
    """What one lane does otherwise than the rest; a key that is left out is as in `settings`."""

    trigger_interval: Interval | None = None
    """How often a micro-batch of this lane starts."""

    max_records_per_batch: Annotated[int, Field(gt=0)] | None = None
    """The most records that one micro-batch of this lane takes from Kafka."""


class Settings(Model):
    """Where things lie and how often the stream runs."""

    checkpoint_location: Annotated[
        Location, Field(examples=["s3://${STACK_NAME}-assets-${AWS_ACCOUNT_ID}/checkpoints"])
    ]
    """Where Spark keeps its place in the topics."""

    quarantine_path: Annotated[Location, Field(examples=["s3://${STACK_NAME}-quarantine-${AWS_ACCOUNT_ID}"])]
    """Where quarantined rows and dead letters go."""

    delta_bucket: Annotated[Location, Field(examples=["s3://${STACK_NAME}-delta-${AWS_ACCOUNT_ID}"])]
    """The bucket of histories and logs, with or without `s3://` and a prefix."""

    trigger_interval: Interval = "10 seconds"
    """How often a micro-batch starts: `10 seconds`, `500 milliseconds`, `1 minute`."""

    max_records_per_batch: Annotated[int, Field(gt=0)] = 200_000
    """The most records that one micro-batch takes from Kafka."""

    lanes: Annotated[
        dict[Identifier, LaneSettings],
        Field(default_factory=dict, examples=[{"telemetry": {"trigger_interval": "1 second"}}]),
    ]
    """`trigger_interval` and `max_records_per_batch` of single lanes, by the name that tables give as their `lane`."""

    extensions: Annotated[str, Field(pattern=f"^{EXTENSION_NAME}$", examples=["my_rules"])] | None = None
    """A Python file beside this one, `my_rules` for my_rules.py, that registers rules and transforms of your own."""

    settle: SettlePolicy = SettlePolicy()
    """When the log is folded into the history."""


class Kafka(Model):
    """How to reach the broker; on the local profile the stack's own broker replaces it."""

    bootstrap_servers: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9._:,\[\]${}-]+$", examples=["${MSK_BOOTSTRAP_SERVERS}"])
    ]
    """`host:port`, several separated by commas."""

    security_protocol: Literal["SASL_SSL", "SSL", "PLAINTEXT", "SASL_PLAINTEXT"] = "SASL_SSL"
    """How the connection is protected."""

    sasl_mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "AWS_MSK_IAM"] = "SCRAM-SHA-512"
    """How the client proves who it is."""

    username: Annotated[str, Field(pattern=r"^[A-Za-z0-9._@+=${}-]{1,128}$")] | None = None
    """The SCRAM user; its password is a secret and never stands here."""

    partitions: Annotated[int, Field(ge=1, le=1000)] = 1
    """Partitions of every topic; they can grow and never shrink."""

    retention_days: Annotated[int, Field(ge=1, le=3650)] = 7
    """How long a stopped streaming job may stay away before a change event is lost to it."""


class SourceDatabase(Model):
    """The database whose changes are captured."""

    engine: Literal["postgres", "postgresql"] = "postgres"
    """Two spellings of PostgreSQL."""

    database: Identifier | None = None
    """Its name; the use case's with underscores unless given."""

    schema_name: Identifier = "public"
    """The schema that holds the tables."""

    capture: Literal["debezium", "dms"] = "debezium"
    """What captures the changes."""

    captures_truncates: bool = True
    """Whether the capture sends TRUNCATE; Debezium's own default doesn't."""

    include_transaction_details: bool = True
    """Whether records of DMS carry their log position, as `IncludeTransactionDetails` makes them."""

    before_image: bool = True
    """Whether updates of DMS carry the key as it was, as `BeforeImageSettings` make them."""


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

    @property
    def database_name(self) -> str:
        """Name of the source database: as configured, else the use case with underscores."""
        return self.source_database.database or self.name.replace("-", "_")
