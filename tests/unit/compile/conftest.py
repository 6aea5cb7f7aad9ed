import pytest

from fluvial.config.model import UseCase


@pytest.fixture
def shop() -> UseCase:
    """Two tables: one with a usual topic and a plain key, one with its own topic and a composite key."""
    return UseCase.model_validate(
        {
            "name": "corner-shop",
            "settings": {"checkpoint_location": "s3://b/c", "quarantine_path": "s3://b/q", "delta_bucket": "b"},
            "kafka": {"bootstrap_servers": "broker:9096"},
            "source_database": {"engine": "postgres", "schema_name": "sales"},
            "tables": [
                {
                    "name": "orders",
                    "primary_key": "id",
                    "schema": [
                        {"name": "id", "type": "bigint", "nullable": False},
                        {"name": "total", "type": "decimal(12,2)", "nullable": False},
                        {"name": "buyer", "type": "string", "nullable": False},
                        {"name": "placed_at", "type": "timestamp"},
                    ],
                    "dq_rules": [{"id": "buyer_present", "type": "not_null", "column": "buyer"}],
                },
                {
                    "name": "order_lines",
                    "topic": "shop.lines",
                    "primary_key": ["order_id", "line"],
                    "schema": [
                        {"name": "order_id", "type": "bigint"},
                        {"name": "line", "type": "smallint"},
                        {"name": "is_gift", "type": "boolean"},
                    ],
                },
            ],
        }
    )
