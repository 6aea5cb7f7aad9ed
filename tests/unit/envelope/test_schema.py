"""Which records hold a wide decimal that has to be read a second time."""

import re

import pytest

from fluvial.config.model import Table
from fluvial.envelope.schema import long_number

TABLE = Table.model_validate(
    {
        "name": "payments",
        "primary_key": ["id"],
        "schema": [
            {"name": "id", "type": "bigint"},
            {"name": "amount", "type": "decimal(18,2)"},
            {"name": "rate", "type": "decimal(20,17)"},
            {"name": "small", "type": "decimal(15,2)"},
        ],
    }
)


@pytest.mark.parametrize(
    "text",
    [
        '{"data":{"id":1,"amount":1234567890123456.78}}',
        '{"data":{"rate" : -0.10000000000000001}}',
        '{"data":{"rate":1.00000000000000001}}',
        '{"data":{"amount":1.5e3}}',
        '{"before-image":{"amount":1E-7}}',
        r'{"data":{"\u0061mount":1234567890123456.78}}',
    ],
)
def test_a_long_number_is_found(text: str) -> None:
    assert re.search(long_number(TABLE), text)


@pytest.mark.parametrize(
    "text",
    [
        '{"data":{"id":12345678901234567,"amount":"1234567890123456.78","rate":null}}',
        '{"data":{"amount":12345678901234.5}}',
        '{"data":{"small":1234567890123456.78}}',
        '{"data":{"note":"amount","amount":1.5}}',
    ],
)
def test_what_a_double_holds_is_not(text: str) -> None:
    assert not re.search(long_number(TABLE), text)
