from fluvial.compile.stack_parameters import compile_stack_parameters
from fluvial.config.model import UseCase

LONGEST_VALUE = 4096


def test_the_buckets_are_those_that_the_settings_name(shop: UseCase) -> None:
    assert compile_stack_parameters(shop)["storage"] == {
        "AssetsBucket": "b",
        "DeltaBucket": "b",
        "QuarantineBucket": "b",
    }


def test_every_value_is_a_text_that_cloudformation_takes(shop: UseCase) -> None:
    stacks = compile_stack_parameters(shop)

    assert list(stacks) == [
        "storage",
        "source_database",
        "broker",
        "capture",
        "processing",
        "functions",
        "observability",
    ]
    assert all(
        name.isalnum() and isinstance(value, str) and len(value) <= LONGEST_VALUE
        for parameters in stacks.values()
        for name, value in parameters.items()
    )


def test_the_job_gets_the_secrets_and_the_files_that_its_configuration_names() -> None:
    clinic = UseCase.model_validate(
        {
            "name": "clinic",
            "settings": {
                "checkpoint_location": "s3://b/c",
                "quarantine_path": "s3://b/q",
                "delta_bucket": "b",
                "extensions": "clinic_rules",
            },
            "kafka": {"bootstrap_servers": "broker:9096"},
            "reference_tables": [{"name": "wards", "file": "wards.csv", "key": "code"}],
            "tables": [
                {
                    "name": "patients",
                    "primary_key": "id",
                    "schema": [{"name": name, "type": "string"} for name in ("id", "ssn", "email", "phone")],
                    "transforms": [
                        {"type": "tokenize", "column": "ssn", "params": {"key": "aws:clinic/identity"}},
                        {"type": "tokenize", "column": "email", "params": {"key": "aws:clinic/identity"}},
                        {"type": "encrypt", "column": "phone", "params": {"key": "env:PHONE_KEY"}},
                    ],
                }
            ],
        }
    )
    processing = compile_stack_parameters(clinic)["processing"]

    assert processing["SecretNames"] == "clinic/identity"
    assert processing["ConfigurationFiles"] == "tables.yaml,clinic_rules.py,wards.csv"
