"""tables.yaml to the settings of an AWS DMS task and of its two endpoints.

They are the inputs of `CreateReplicationTask` and `CreateEndpoint`, but for what only a deployment knows: ARNs, and
secrets, which DMS reads from Secrets Manager by itself.
Source: https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Target.Kafka.html
"""

import re
from typing import Any, Final

from fluvial.compile.principals import capture_principal
from fluvial.compile.source_names import DMS_SCHEMA, slot_name
from fluvial.config.model import UseCase
from fluvial.config.sizes import size_in_bytes

_LOB_KB: Final = 256
"""A longer value suspends its table; DMS keeps room for so much in every row it reads."""
_THREADS: Final = 4
_PROTOCOLS: Final = {
    "SASL_SSL": "sasl-ssl",
    "SASL_PLAINTEXT": "sasl-ssl",  # DMS sends a password over TLS or not at all
    "SSL": "ssl-encryption",
    "PLAINTEXT": "plaintext",
}


def task_identifier(use_case: UseCase) -> str:
    """The DMS task: letters, digits and single hyphens, as DMS wants it."""
    return f"fluvial-{re.sub(r'[^A-Za-z0-9]+', '-', use_case.name).strip('-')}"


def compile_task_settings(use_case: UseCase) -> dict[str, Any]:
    """Everything that decides what a record holds; a table that fails is suspended and takes no other with it."""
    return {
        "TargetMetadata": _target_metadata(),
        "FullLoadSettings": {
            "TargetTablePrepMode": "DO_NOTHING",
            "StopTaskCachedChangesApplied": False,
            "StopTaskCachedChangesNotApplied": False,
            "TransactionConsistencyTimeout": 600,
        },
        # A changed primary key is one update: the old key is only here.
        "BeforeImageSettings": {
            "EnableBeforeImage": use_case.source_database.before_image,
            "FieldName": "before-image",
            "ColumnFilter": "pk-only",
        },
        "ChangeProcessingDdlHandlingPolicy": {
            "HandleSourceTableDropped": True,
            "HandleSourceTableTruncated": use_case.source_database.captures_truncates,
            "HandleSourceTableAltered": True,
        },
        "ErrorBehavior": _error_behavior(),
        "ValidationSettings": {"EnableValidation": False},
        "Logging": {"EnableLogging": True},
    }


def _target_metadata() -> dict[str, Any]:
    return {
        "SupportLobs": True,
        "FullLobMode": False,
        "LimitedSizeLobMode": True,
        "LobMaxSize": _LOB_KB,
        "BatchApplyEnabled": False,
        # With parallel threads the partition key is the primary key, without them one partition takes a whole table.
        "ParallelLoadThreads": _THREADS,
        "ParallelLoadBufferSize": 100,
        "ParallelLoadQueuesPerThread": 16,
        "ParallelApplyThreads": _THREADS,
        "ParallelApplyBufferSize": 100,
        "ParallelApplyQueuesPerThread": 16,
    }


def _error_behavior() -> dict[str, Any]:
    return {
        "DataErrorPolicy": "SUSPEND_TABLE",
        "DataTruncationErrorPolicy": "SUSPEND_TABLE",
        "DataErrorEscalationPolicy": "SUSPEND_TABLE",
        "TableErrorPolicy": "SUSPEND_TABLE",
        "TableErrorEscalationPolicy": "STOP_TASK",
        "RecoverableErrorCount": -1,
        "RecoverableErrorInterval": 5,
        "RecoverableErrorThrottling": True,
        "RecoverableErrorThrottlingMax": 1800,
        "RecoverableErrorStopRetryAfterThrottlingMax": False,
        "FailOnTransactionConsistencyBreached": True,
        "FailOnNoTablesCaptured": True,
    }


def compile_source_endpoint(use_case: UseCase) -> dict[str, Any]:
    """Input of CreateEndpoint for PostgreSQL; address and password come from the secret."""
    return {
        "EndpointIdentifier": f"{task_identifier(use_case)}-source",
        "EndpointType": "source",
        "EngineName": "postgres",
        "DatabaseName": use_case.database_name,
        "SslMode": "require",
        "PostgreSQLSettings": {
            "DatabaseName": use_case.database_name,
            # Its triggers need rights on the whole database.
            "CaptureDdls": False,
            "SlotName": f"{slot_name(use_case)[:58]}_dms",
            "PluginName": "test-decoding",
            "HeartbeatEnable": True,
            "HeartbeatSchema": DMS_SCHEMA,
            "HeartbeatFrequency": 1,
            "FailTasksOnLobTruncation": True,
            "TrimSpaceInChar": False,
            "MapBooleanAsBoolean": True,
            "MapJsonbAsClob": True,
            "SecretsManagerAccessRoleArn": "${SOURCE_SECRET_ROLE_ARN}",
            "SecretsManagerSecretId": "${SOURCE_SECRET_ARN}",
        },
    }


def compile_target_endpoint(use_case: UseCase) -> dict[str, Any]:
    """Input of CreateEndpoint for Kafka: records that tell their position, and every column, null or not."""
    protocol = _PROTOCOLS[use_case.kafka.security_protocol]
    return {
        "EndpointIdentifier": f"{task_identifier(use_case)}-target",
        "EndpointType": "target",
        "EngineName": "kafka",
        "KafkaSettings": {
            "Broker": use_case.kafka.bootstrap_servers,
            "MessageFormat": "json-unformatted",
            "MessageMaxBytes": size_in_bytes(use_case.kafka.largest_record),
            # Without them there is no source position, and the guarantee sinks to best effort.
            "IncludeTransactionDetails": use_case.source_database.include_transaction_details,
            # The default leaves NULL columns out, and then a value can't be told from one that wasn't touched.
            "IncludeNullAndEmpty": True,
            "IncludeControlDetails": True,
            "IncludeTableAlterOperations": True,
            "IncludePartitionValue": True,
            "PartitionIncludeSchemaTable": False,
            "NoHexPrefix": False,
            "SecurityProtocol": protocol,
            **(_login(use_case) if protocol == "sasl-ssl" else {}),
        },
    }


def _login(use_case: UseCase) -> dict[str, str]:
    return {
        "SaslMechanism": "scram-sha-512",
        "SaslUsername": capture_principal(use_case),
        "SaslPassword": "${KAFKA_CAPTURE_PASSWORD}",
        "SslEndpointIdentificationAlgorithm": "https",
    }


def compile_replication_task(use_case: UseCase) -> dict[str, Any]:
    """Input of CreateReplicationTask without its two documents, which are JSON in strings there."""
    return {
        "ReplicationTaskIdentifier": task_identifier(use_case),
        "SourceEndpointArn": "${SOURCE_ENDPOINT_ARN}",
        "TargetEndpointArn": "${TARGET_ENDPOINT_ARN}",
        "ReplicationInstanceArn": "${REPLICATION_INSTANCE_ARN}",
        "MigrationType": "full-load-and-cdc",
    }
