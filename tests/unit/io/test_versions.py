from dataclasses import replace

import pytest

from fluvial.errors import VersionMismatchError
from fluvial.io.versions import GLUE_5_1, Versions, assert_versions

PROVEN = Versions(spark="3.5.7", delta="3.3.2", deequ="2.1.0-spark-3.5", kafka_connector="3.5.7")


def test_patch_releases_of_the_proven_line_pass() -> None:
    assert_versions(PROVEN)
    assert_versions(replace(PROVEN, spark="3.5.6"), GLUE_5_1)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (replace(PROVEN, spark="4.1.1"), "spark is 4.1.1, wanted 3.5"),
        (replace(PROVEN, spark="3.50.0"), "spark is 3.50.0, wanted 3.5"),
        (replace(PROVEN, delta="3.3.1"), "delta is 3.3.1, wanted 3.3.2"),
        (replace(PROVEN, deequ=""), "deequ is missing, wanted 2.1.0-spark-3.5"),
        (
            replace(PROVEN, delta="", kafka_connector="3.4.0"),
            "delta is missing.*; kafka_connector is 3.4.0, wanted 3.5",
        ),
    ],
)
def test_every_library_that_differs_is_named(found: Versions, message: str) -> None:
    with pytest.raises(VersionMismatchError, match=message):
        assert_versions(found)
