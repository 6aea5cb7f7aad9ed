"""tables.yaml to parameters of the CloudFormation stacks, one mapping for each stack's concern.

Only what the configuration decides; sizes, network ranges and retention of logs have defaults in the templates.
"""

from collections.abc import Iterator
from typing import Final

from fluvial.compile.dms_settings import task_identifier
from fluvial.compile.principals import admin_principal, capture_principal, streaming_principal
from fluvial.compile.source_names import CAPTURE_ROLE, publication_name
from fluvial.config.load import FILE_NAME
from fluvial.config.locations import Locations
from fluvial.config.model import UseCase
from fluvial.config.secret_references import secret_references

GLUE_VERSION: Final = "5.1"
Parameters = dict[str, str]


def compile_stack_parameters(use_case: UseCase) -> dict[str, Parameters]:
    """Parameters by stack, every value a text, as CloudFormation takes them."""
    return {
        "storage": _storage(use_case),
        "source_database": {
            "DatabaseName": use_case.database_name,
            "SchemaName": use_case.source_database.schema_name,
            "CaptureRole": CAPTURE_ROLE,
            "PublicationName": publication_name(use_case),
        },
        "broker": {
            "SecurityProtocol": use_case.kafka.security_protocol,
            "SaslMechanism": use_case.kafka.sasl_mechanism,
            "StreamingUser": streaming_principal(use_case),
            "CaptureUser": capture_principal(use_case),
            "AdminUser": admin_principal(use_case),
        },
        "capture": {"TaskIdentifier": task_identifier(use_case), "MigrationType": "full-load-and-cdc"},
        "processing": _processing(use_case),
        "functions": {"UseCaseName": use_case.name, "CatalogDatabase": catalog_database(use_case)},
        "observability": {
            "UseCaseName": use_case.name,
            "StreamingJobName": f"{task_identifier(use_case)}-streaming",
            "TaskIdentifier": task_identifier(use_case),
        },
    }


def catalog_database(use_case: UseCase) -> str:
    """The Glue database: lower case letters, digits and underscores, as Athena reads them without quotes."""
    return "".join(letter if letter.isalnum() else "_" for letter in use_case.name.lower())


def _storage(use_case: UseCase) -> Parameters:
    locations, settings = Locations(use_case), use_case.settings
    return {
        "AssetsBucket": bucket_of(settings.checkpoint_location),
        "DeltaBucket": bucket_of(locations.batches),
        "QuarantineBucket": bucket_of(settings.quarantine_path),
    }


def bucket_of(url: str) -> str:
    """The bucket of an `s3://` URL."""
    return url.partition("://")[2].partition("/")[0]


def _processing(use_case: UseCase) -> Parameters:
    settings = use_case.settings
    return {
        "StreamingJobName": f"{task_identifier(use_case)}-streaming",
        "GlueVersion": GLUE_VERSION,
        "UseCaseName": use_case.name,
        "CheckpointLocation": settings.checkpoint_location,
        "TriggerInterval": settings.trigger_interval,
        "MaxRecordsPerBatch": str(settings.max_records_per_batch),
        "Topics": ",".join(table.topic for table in use_case.tables),
        "SecretNames": ",".join(_secret_names(use_case)),
        "ConfigurationFiles": ",".join(_configuration_files(use_case)),
    }


def _secret_names(use_case: UseCase) -> Iterator[str]:
    """Of Secrets Manager: what the job's role may read."""
    references = (reference.partition(":") for reference in secret_references(use_case))
    return (name for kind, _, name in references if kind == "aws")


def _configuration_files(use_case: UseCase) -> Iterator[str]:
    """What lies beside each other where the job reads its configuration."""
    yield FILE_NAME
    if use_case.settings.extensions:
        yield f"{use_case.settings.extensions}.py"
    yield from (table.file for table in use_case.reference_tables)
