import re

import pytest

from fluvial.errors import ArtifactError
from fluvial.local.lock import LockedFile, digest_group, load_lock, lock_data, parse_lock, postgres_group

TEXT = "aa  kafka/kafka_2.13-4.3.1.jar\nbb  spark/deequ.jar\n"


def test_a_line_is_a_checksum_a_group_and_a_name() -> None:
    assert parse_lock(TEXT) == (
        LockedFile("kafka", "kafka_2.13-4.3.1.jar", "aa"),
        LockedFile("spark", "deequ.jar", "bb"),
    )


def test_every_dependency_of_ivy_xml_has_a_checksum() -> None:
    ivy = lock_data("ivy.xml").read_text()
    wanted = {
        (conf, f"{name}-{revision}")
        for name, revision, conf in re.findall(r'<dependency [^>]*name="(.+?)" rev="(.+?)" conf="(.+?)->', ivy)
    }
    locked = {(file.group, re.sub(r"(-plugin)?\.(jar|tar\.gz)$", "", file.name)) for file in load_lock()}
    assert locked == wanted


def test_every_checksum_is_a_sha256() -> None:
    assert [file.name for file in load_lock() if not re.fullmatch("[0-9a-f]{64}", file.sha256)] == []


def test_a_groups_digest_ignores_other_groups() -> None:
    lock = parse_lock(TEXT)
    assert digest_group(lock, "spark") == digest_group(parse_lock(TEXT.replace("aa", "cc")), "spark")
    assert digest_group(lock, "spark") != digest_group(parse_lock(TEXT.replace("bb", "cc")), "spark")


@pytest.mark.parametrize(
    ("system", "machine", "group"),
    [
        ("Linux", "x86_64", "pg-linux-amd64"),
        ("Linux", "aarch64", "pg-linux-arm64v8"),
        ("Darwin", "x86_64", "pg-darwin-amd64"),
        ("Darwin", "arm64", "pg-darwin-arm64v8"),
    ],
)
def test_each_platform_has_its_postgres(system: str, machine: str, group: str) -> None:
    assert postgres_group(system, machine) == group
    assert group in {file.group for file in load_lock()}


@pytest.mark.parametrize(("system", "machine"), [("Windows", "AMD64"), ("Linux", "riscv64")])
def test_other_platforms_are_refused(system: str, machine: str) -> None:
    with pytest.raises(ArtifactError, match=f"no PostgreSQL binaries are locked for {system} on {machine}"):
        postgres_group(system, machine)
