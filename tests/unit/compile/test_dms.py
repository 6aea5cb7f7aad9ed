"""The DMS documents against the service's own description, which botocore ships; nothing is called."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape
from botocore.validate import ParamValidator

from fluvial.compile.dms_mappings import EPOCH_COLUMN, compile_table_mappings
from fluvial.compile.dms_settings import (
    compile_replication_task,
    compile_source_endpoint,
    compile_target_endpoint,
    compile_task_settings,
)
from fluvial.config.model import UseCase


@pytest.fixture(scope="module")
def service() -> ServiceModel:
    return ServiceModel(Loader().load_service_model("dms", "service-2"), "dms")


def wrong_words(value: Any, shape: Shape) -> Iterator[str]:
    """Texts that an enumeration of the service lacks; its validator leaves them to the service."""
    if shape.type_name == "structure":
        for name, member in value.items():
            yield from wrong_words(member, shape.members[name])
    elif shape.type_name == "string" and shape.enum and value not in shape.enum:
        yield f"{shape.name}: {value}"


def problems(service: ServiceModel, operation: str, document: dict[str, Any]) -> list[str]:
    shape = service.operation_model(operation).input_shape
    report = ParamValidator().validate(document, shape)
    return [report.generate_report()] if report.has_errors() else list(wrong_words(document, shape))


def rules_of(use_case: UseCase, kind: str, **found: str) -> list[dict[str, Any]]:
    rules = compile_table_mappings(use_case)["rules"]
    return [rule for rule in rules if rule["rule-type"] == kind and found.items() <= rule.items()]


def test_both_endpoints_are_valid_inputs_of_create_endpoint(shop: UseCase, service: ServiceModel) -> None:
    assert problems(service, "CreateEndpoint", compile_source_endpoint(shop)) == []
    assert problems(service, "CreateEndpoint", compile_target_endpoint(shop)) == []


def test_the_task_with_its_two_documents_is_a_valid_input_of_create_replication_task(
    shop: UseCase, service: ServiceModel
) -> None:
    documents = {
        "TableMappings": json.dumps(compile_table_mappings(shop)),
        "ReplicationTaskSettings": json.dumps(compile_task_settings(shop)),
    }

    assert problems(service, "CreateReplicationTask", compile_replication_task(shop) | documents) == []


def test_a_misspelt_setting_would_be_found(shop: UseCase, service: ServiceModel) -> None:
    endpoint = compile_target_endpoint(shop)
    misspelt = endpoint | {"KafkaSettings": endpoint["KafkaSettings"] | {"IncludeNullsAndEmpty": True}}
    unknown = endpoint | {"EndpointType": "sink"}

    assert "IncludeNullsAndEmpty" in problems(service, "CreateEndpoint", misspelt)[0]
    assert problems(service, "CreateEndpoint", unknown) == ["ReplicationEndpointTypeValue: sink"]


def test_records_tell_their_position_and_every_column_null_or_not(shop: UseCase) -> None:
    settings = compile_target_endpoint(shop)["KafkaSettings"]

    assert settings["IncludeTransactionDetails"] is True
    assert settings["IncludeNullAndEmpty"] is True
    assert settings["IncludeControlDetails"] is True


def test_updates_carry_their_old_key(shop: UseCase) -> None:
    assert compile_task_settings(shop)["BeforeImageSettings"] == {
        "EnableBeforeImage": True,
        "FieldName": "before-image",
        "ColumnFilter": "pk-only",
    }


def test_parallel_threads_make_the_primary_key_the_partition_key(shop: UseCase) -> None:
    metadata = compile_task_settings(shop)["TargetMetadata"]

    assert min(metadata["ParallelLoadThreads"], metadata["ParallelApplyThreads"]) > 1


def test_each_table_is_selected_and_goes_to_its_own_topic(shop: UseCase) -> None:
    assert [rule["object-locator"]["table-name"] for rule in rules_of(shop, "selection")] == ["orders", "order_lines"]
    topics = [rule["kafka-target-topic"] for rule in rules_of(shop, "object-mapping")]
    assert topics == ["cdc-orders", "shop.lines"]


def test_every_row_carries_the_epoch_of_its_full_load(shop: UseCase) -> None:
    later = compile_table_mappings(shop, epoch="0001")["rules"]
    expressions = [rule["expression"] for rule in later if rule.get("value") == EPOCH_COLUMN]

    assert expressions == ["'0001'", "'0001'"]


def test_a_decimal_travels_as_text_wide_enough_for_its_digits_sign_and_point(shop: UseCase) -> None:
    exact = rules_of(shop, "transformation", **{"rule-action": "change-data-type"})

    assert [(rule["object-locator"]["column-name"], rule["data-type"]) for rule in exact] == [
        ("total", {"type": "string", "length": 15})
    ]


def test_rule_ids_are_unique(shop: UseCase) -> None:
    ids = [rule["rule-id"] for rule in compile_table_mappings(shop)["rules"]]

    assert ids == ["1", "2", "3", "4", "5", "6", "7"]


@pytest.mark.parametrize(
    ("configured", "for_dms"), [("SASL_SSL", "sasl-ssl"), ("SSL", "ssl-encryption"), ("PLAINTEXT", "plaintext")]
)
def test_the_security_protocol_is_the_brokers(shop: UseCase, configured: str, for_dms: str) -> None:
    kafka = shop.kafka.model_copy(update={"security_protocol": configured})
    settings = compile_target_endpoint(shop.model_copy(update={"kafka": kafka}))["KafkaSettings"]

    assert settings["SecurityProtocol"] == for_dms
    assert ("SaslPassword" in settings) is (for_dms == "sasl-ssl")


def test_what_the_source_leaves_out_is_left_out_here_as_well(shop: UseCase) -> None:
    less = {"include_transaction_details": False, "before_image": False, "captures_truncates": False}
    poor = shop.model_copy(update={"source_database": shop.source_database.model_copy(update=less)})
    settings = compile_task_settings(poor)

    assert compile_target_endpoint(poor)["KafkaSettings"]["IncludeTransactionDetails"] is False
    assert settings["BeforeImageSettings"]["EnableBeforeImage"] is False
    assert settings["ChangeProcessingDdlHandlingPolicy"]["HandleSourceTableTruncated"] is False
