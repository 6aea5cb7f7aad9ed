"""The parts of tables.yaml that hold for all of its tables: settings, broker, source database."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from fluvial.config.base import Model
from fluvial.config.circuit_breaker import CircuitBreaker
from fluvial.config.fields import Identifier, Interval, Location
from fluvial.config.settle import SettlePolicy
from fluvial.config.sizes import Size, size_in_bytes

EXTENSION_NAME: Final = r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*"


LARGEST_RECORD: Final = 64 * 2**20
"""Bytes of the largest record that the capture sends and the job reads: a row of 20 MB, before and after an update."""


def _within_reach(size: str) -> str:
    if size_in_bytes(size) > LARGEST_RECORD:
        raise PydanticCustomError("too_large", "a record of {size} is more than 64MiB", {"size": size})
    return size


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

    circuit_breaker: CircuitBreaker | None = None
    """When a table is stopped for its bad records; never unless given."""


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

    largest_record: Annotated[Size, AfterValidator(_within_reach)] = "64MiB"
    """The largest record that the topics take, `64MiB` at most. A longer row ends the capture; some brokers allow less.

    An update carries its row twice.
    """


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
