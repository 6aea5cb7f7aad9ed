import pytest

from fluvial.config.model import UseCase


@pytest.fixture
def shop() -> UseCase:
    """Two tables of one small use case."""
    column = {"name": "id", "type": "bigint", "nullable": False}
    return UseCase.model_validate(
        {
            "name": "corner-shop",
            "settings": {"checkpoint_location": "s3://b/c", "quarantine_path": "s3://b/q", "delta_bucket": "b"},
            "kafka": {"bootstrap_servers": "broker:9096"},
            "tables": [
                {"name": "orders", "primary_key": "id", "schema": [column]},
                {"name": "buyers", "topic": "shop.buyers", "primary_key": "id", "schema": [column]},
            ],
        }
    )
