import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from fluvial.errors import ArtifactError, DiskFullError
from fluvial.local.archives import unpack_group
from fluvial.local.artifacts import MEBIBYTE, _install, check_room, is_current, verify_files
from fluvial.local.lock import parse_lock

HELLO = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
LOCK = parse_lock(f"{HELLO}  spark/hello.jar\n")


@pytest.fixture
def fetched(tmp_path: Path) -> Path:
    folder = tmp_path / "incoming" / "spark"
    folder.mkdir(parents=True)
    (folder / "hello.jar").write_bytes(b"hello")
    return folder


def pack(inner: str, names: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{inner}") as archive:
        for name, content in names.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def test_a_file_as_locked_passes(fetched: Path) -> None:
    verify_files(LOCK, fetched.parent)


def test_a_changed_file_is_named(fetched: Path) -> None:
    (fetched / "hello.jar").write_bytes(b"hullo")
    with pytest.raises(ArtifactError, match=rf"hello\.jar is not the file .* expected {HELLO}"):
        verify_files(LOCK, fetched.parent)


def test_a_missing_file_is_named(fetched: Path) -> None:
    (fetched / "hello.jar").unlink()
    with pytest.raises(ArtifactError, match=r"hello\.jar was not fetched"):
        verify_files(LOCK, fetched.parent)


def test_an_installed_group_is_current(tmp_path: Path, fetched: Path) -> None:
    _install(tmp_path, LOCK, "spark", fetched)
    assert is_current(tmp_path, LOCK, "spark")
    assert (tmp_path / "spark" / "hello.jar").read_bytes() == b"hello"


def test_a_group_of_another_lock_is_not_current(tmp_path: Path, fetched: Path) -> None:
    _install(tmp_path, LOCK, "spark", fetched)
    assert not is_current(tmp_path, parse_lock(f"{HELLO}  spark/hello-2.jar\n"), "spark")


def test_a_group_without_its_stamp_is_not_current(tmp_path: Path) -> None:
    (tmp_path / "spark").mkdir()
    (tmp_path / "spark" / "hello.jar").write_bytes(b"hello")
    assert not is_current(tmp_path, LOCK, "spark")


def test_jars_of_an_older_lock_do_not_stay(tmp_path: Path, fetched: Path) -> None:
    (tmp_path / "spark").mkdir()
    (tmp_path / "spark" / "old.jar").touch()
    _install(tmp_path, LOCK, "spark", fetched)
    assert not (tmp_path / "spark" / "old.jar").exists()


def test_a_plugin_archive_is_unpacked(tmp_path: Path) -> None:
    fetched, target = tmp_path / "fetched", tmp_path / "target"
    fetched.mkdir()
    target.mkdir()
    (fetched / "debezium-plugin.tar.gz").write_bytes(pack("gz", {"debezium/core.jar": b"core"}))
    unpack_group("postgres", fetched, target)
    assert (target / "debezium" / "core.jar").read_bytes() == b"core"


def test_postgres_is_taken_out_of_the_archive_in_its_jar(tmp_path: Path) -> None:
    fetched, target = tmp_path / "fetched", tmp_path / "target"
    fetched.mkdir()
    target.mkdir()
    with zipfile.ZipFile(fetched / "binaries.jar", "w") as jar:
        jar.writestr("postgres-linux-x86_64.txz", pack("xz", {"bin/postgres": b"elf"}))
    unpack_group("pg-linux-amd64", fetched, target)
    assert (target / "bin" / "postgres").stat().st_mode & 0o111


def test_too_little_room_is_refused_before_anything_is_fetched(tmp_path: Path) -> None:
    with pytest.raises(DiskFullError, match=f"no room left under {tmp_path}") as caught:
        check_room(tmp_path / "not" / "yet", needed=1536 * MEBIBYTE, free=1024 * MEBIBYTE)
    assert "free 513 MiB of space" in caught.value.hint


def test_enough_room_passes(tmp_path: Path) -> None:
    check_room(tmp_path, needed=10, free=10)
