"""Stretches of time as tables.yaml writes them: `500 milliseconds`, `10 minutes`, `2 days`."""

from datetime import timedelta
from typing import Final

_SECONDS: Final = {"millisecond": 0.001, "second": 1, "minute": 60, "hour": 3600, "day": 86_400}


def duration(text: str) -> timedelta:
    """The stretch of a text that its field's pattern has let pass: a number, one space, a unit."""
    number, unit = text.split(" ")
    return timedelta(seconds=int(number) * _SECONDS[unit.rstrip("s")])
