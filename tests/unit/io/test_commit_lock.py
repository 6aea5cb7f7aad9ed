"""One committer at a time to a table on a local disk, whichever process or thread it is in."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from fluvial.io.commit_lock import commit_lock
from tests.locked_tables import locked_elsewhere


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Threads that wait for locks."""
    with ThreadPoolExecutor() as threads:
        yield threads


def enter(table: str) -> None:
    with commit_lock(table):
        pass


def is_waiting(entered: Future[None]) -> bool:
    return bool(wait([entered], timeout=0.5).not_done)


def test_what_another_process_holds_is_free_when_it_is_killed(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    table = str(tmp_path / "lake" / "table")
    with locked_elsewhere(table) as holder:
        entered = pool.submit(enter, table)
        assert is_waiting(entered)
        holder.kill()
        assert entered.result() is None


def test_threads_come_one_after_the_other_and_a_failure_frees_the_lock(
    tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    def fail() -> None:
        with commit_lock(str(tmp_path)):
            entered.append(pool.submit(enter, str(tmp_path)))
            assert is_waiting(entered[0])
            raise ZeroDivisionError

    entered: list[Future[None]] = []
    with pytest.raises(ZeroDivisionError):
        fail()
    assert entered[0].result() is None


def test_another_table_is_free(tmp_path: Path) -> None:
    with locked_elsewhere(str(tmp_path / "table")):
        enter(str(tmp_path / "other"))


def test_a_store_with_an_address_has_no_folder_to_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with commit_lock("s3://lake/table"), commit_lock("s3://lake/table"):
        assert list(tmp_path.iterdir()) == []
