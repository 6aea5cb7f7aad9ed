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
