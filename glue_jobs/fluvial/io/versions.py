"""The library versions this release is proven with, and the check that a running Spark has them.

They are those of AWS Glue 5.1, so that what passes on a laptop passes there; patch releases of one line may differ.
"""

from dataclasses import dataclass
from typing import Final

from fluvial.errors import VersionMismatchError


@dataclass(frozen=True)
class Versions:
    """Versions of the four libraries that must fit together; empty where a library isn't on the class path."""

    spark: str
    delta: str
    deequ: str
    kafka_connector: str


GLUE_5_1: Final = Versions(spark="3.5", delta="3.3.2", deequ="2.1.0-spark-3.5", kafka_connector="3.5")
_FIX: Final = "install with `make setup`, or set the Glue version to 5.1"


def assert_versions(found: Versions, wanted: Versions = GLUE_5_1) -> None:
    """Raises VersionMismatchError that names every library that differs."""
    names = ("spark", "delta", "deequ", "kafka_connector")
    wrong = [
        f"{name} is {getattr(found, name) or 'missing'}, wanted {getattr(wanted, name)}"
        for name in names
        if not _is_line(getattr(found, name), getattr(wanted, name))
    ]
    if wrong:
        raise VersionMismatchError("this Spark isn't the proven one: " + "; ".join(wrong), _FIX)


def _is_line(found: str, wanted: str) -> bool:
    return found == wanted or found.startswith(f"{wanted}.")
