"""The models of tables.yaml: frozen, unknown keys forbidden, every value checked when it is built."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from fluvial.config.rules import Rule
from fluvial.config.transforms import Transform
from fluvial.config.types import spark_type

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")]
ColumnName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,62}$")]
"""A business column: no leading underscore, because those names belong to Fluvial."""


class Model(BaseModel):
    """What every configuration model shares."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Column(Model):
    """One column of a source table."""

    name: ColumnName
    type: Annotated[str, BeforeValidator(lambda value: spark_type(str(value)))]
    nullable: bool = True


class SettlePolicy(Model):
    """When log rows are folded into the history: every batch, or once one of the bounds is reached."""

    policy: Literal["each_batch", "bounded"] = "each_batch"
    max_rows: Annotated[int, Field(gt=0)] | None = None
    max_bytes: Annotated[int, Field(gt=0)] | None = None
    max_age: str | None = None


class DeequCheck(Model):
    """A metric and the threshold it is held against; it measures and never filters."""

    metric: Literal["completeness", "uniqueness", "compliance", "size"]
    column: ColumnName | None = None
    threshold: float
    severity: Literal["error", "warning"] = "warning"


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


class Table(Model):
    """One captured table: where it comes from, its shape, its rules, its transforms, its place in the lake."""

    name: Identifier
    topic: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,249}$")] = ""
    delta_path: str = ""
    primary_key: Annotated[tuple[ColumnName, ...], BeforeValidator(_as_tuple), Field(min_length=1)]
    columns: Annotated[tuple[Column, ...], Field(alias="schema", min_length=1)]
    dq_rules: tuple[Rule, ...] = ()
    transforms: tuple[Transform, ...] = ()
    deequ_checks: tuple[DeequCheck, ...] = ()
    track_columns: tuple[ColumnName, ...] = ()
    dead_letter_payload: Literal["auto", "raw", "withheld"] = "auto"

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

    @property
    def value_columns(self) -> tuple[str, ...]:
        """The business columns outside the primary key."""
        return tuple(name for name in self.column_names if name not in self.primary_key)

    @property
    def masked_columns(self) -> frozenset[str]:
        """Columns whose raw values may not be written anywhere."""
        return frozenset(transform.column for transform in self.transforms if transform.masks)

    @property
    def ordered_transforms(self) -> tuple[Transform, ...]:
        """The transforms in the order they run: by `order`, then as written."""
        return tuple(sorted(self.transforms, key=lambda transform: transform.order))


class Settings(Model):
    """Where things lie and how often the stream runs."""

    checkpoint_location: str
    quarantine_path: str
    delta_bucket: str
    trigger_interval: Annotated[str, Field(pattern=r"^\d+ (milli)?seconds?$|^\d+ minutes?$")] = "10 seconds"
    max_records_per_batch: Annotated[int, Field(gt=0)] = 200_000
    settle: SettlePolicy = SettlePolicy()


class Kafka(Model):
    """How to reach the broker; on the local profile the stack's own broker replaces it."""

    bootstrap_servers: str
    security_protocol: Literal["SASL_SSL", "SSL", "PLAINTEXT", "SASL_PLAINTEXT"] = "SASL_SSL"
    sasl_mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "AWS_MSK_IAM"] = "SCRAM-SHA-512"
    username: str | None = None


class SourceDatabase(Model):
    """The database whose changes are captured."""

    engine: Literal["postgres", "postgresql"] = "postgres"
    database: Identifier | None = None
    schema_name: Identifier = "public"


class UseCase(Model):
    """A whole tables.yaml; `name` is the folder that holds it."""

    name: str = ""
    settings: Settings
    kafka: Kafka
    source_database: SourceDatabase = SourceDatabase()
    tables: Annotated[tuple[Table, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _tables_are_distinct(self) -> Self:
        for attribute in ("name", "topic"):
            values = [getattr(table, attribute) for table in self.tables]
            if repeated := sorted({value for value in values if values.count(value) > 1}):
                raise ValueError(f"{attribute} used by more than one table: {', '.join(repeated)}")
        return self

    def table(self, name: str) -> Table:
        """The table of that name; raises KeyError."""
        return next(iter(table for table in self.tables if table.name == name))

    @property
    def database_name(self) -> str:
        """Name of the source database: as configured, else the use case with underscores."""
        return self.source_database.database or self.name.replace("-", "_")
