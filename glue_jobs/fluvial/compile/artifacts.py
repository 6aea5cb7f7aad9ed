"""Everything that a tables.yaml compiles to, as files by name."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

from fluvial.compile.athena import CatalogEntry, compile_catalog
from fluvial.compile.debezium import SourceEndpoint, compile_connector
from fluvial.compile.dms_mappings import compile_table_mappings
from fluvial.compile.dms_settings import (
    compile_replication_task,
    compile_source_endpoint,
    compile_target_endpoint,
    compile_task_settings,
)
from fluvial.compile.principals import compile_acls
from fluvial.compile.source_ddl import compile_capture_ddl, compile_rds_capture_ddl, compile_source_ddl
from fluvial.compile.source_names import CAPTURE_ROLE
from fluvial.compile.stack_parameters import compile_stack_parameters
from fluvial.compile.topics import clustered, compile_topics
from fluvial.config.model import UseCase

POSTGRES_PORT: Final = 5432
_HOST: Final = "${SOURCE_HOST}"
_PASSWORD: Final = "${SOURCE_PASSWORD}"  # noqa: S105 - a placeholder, which Connect or the deployment resolves


@dataclass(frozen=True)
class Artifact:
    """One file: `name` is its path below the output folder, `value` what a JSON file holds, else its text."""

    name: str
    summary: str
    value: Any

    @property
    def text(self) -> str:
        """What stands in the file; the same configuration always gives the same bytes."""
        if isinstance(self.value, str):
            return self.value
        return json.dumps(self.value, indent=2, ensure_ascii=False) + "\n"


def compile_artifacts(use_case: UseCase) -> tuple[Artifact, ...]:
    """Every artifact, free of secrets: what only a deployment knows stays a `${PLACEHOLDER}`."""
    return (*_source(use_case), *_capture(use_case), *_broker(use_case), *_cloud(use_case))


def _source(use_case: UseCase) -> Iterator[Artifact]:
    yield Artifact("source/tables.sql", "tables, heartbeat, signals", _script(compile_source_ddl(use_case)))
    yield Artifact("source/capture.sql", "capture role, rights, publication", _script(compile_capture_ddl(use_case)))
    yield Artifact("source/capture-rds.sql", "the same on Amazon RDS", _script(compile_rds_capture_ddl(use_case)))


def _capture(use_case: UseCase) -> Iterator[Artifact]:
    endpoint = SourceEndpoint(_HOST, POSTGRES_PORT, CAPTURE_ROLE, _PASSWORD, ssl_mode="require")
    yield Artifact("debezium/connector.json", "PostgreSQL connector", compile_connector(use_case, endpoint))
    yield Artifact("dms/source-endpoint.json", "CreateEndpoint, PostgreSQL", compile_source_endpoint(use_case))
    yield Artifact("dms/target-endpoint.json", "CreateEndpoint, Kafka", compile_target_endpoint(use_case))
    yield Artifact("dms/table-mappings.json", "tables, topics, exact decimals", compile_table_mappings(use_case))
    yield Artifact("dms/task-settings.json", "load, before-images, errors", compile_task_settings(use_case))
    yield Artifact("dms/replication-task.json", "CreateReplicationTask", compile_replication_task(use_case))


def _broker(use_case: UseCase) -> Iterator[Artifact]:
    topics = [clustered(topic) for topic in compile_topics(use_case)]
    yield Artifact("kafka/topics.json", "partitions, retention", topics)
    yield Artifact("kafka/acls.json", "who may do what", [asdict(acl) for acl in compile_acls(use_case)])


def _cloud(use_case: UseCase) -> Iterator[Artifact]:
    parameters = compile_stack_parameters(use_case)
    yield Artifact("cloudformation/parameters.json", "parameters by stack", parameters)
    statements = tuple(_with_columns(entry) for entry in compile_catalog(use_case))
    yield Artifact("athena/catalog.sql", "database, tables, views", _script(statements))


def _with_columns(entry: CatalogEntry) -> str:
    """The statement below a comment that lists the columns; Athena itself reads them from the Delta table."""
    columns = ", ".join(f"{name} {kind}" for name, kind in entry.columns.items())
    return f"-- {columns}\n{entry.sql}" if columns else entry.sql


def _script(statements: tuple[str, ...]) -> str:
    return "".join(f"{statement};\n\n" for statement in statements).rstrip("\n") + "\n"
