from pathlib import Path

import pytest

from fluvial.config.locations import Locations
from fluvial.errors import StorageError
from fluvial.io.checkpoints import find_damage, require_progress
from fluvial.io.reason import reason
from fluvial.io.small_appends import SmallTable
from tests.unit.io.lakes import use_case_of

BATCH = 'v1\n{"batchWatermarkMs":0}\n{"cdc-items":{"0":100}}'


def checkpoint(folder: Path, newest: str) -> str:
    for part in ("offsets", "commits"):
        (folder / part).mkdir()
    (folder / "metadata").write_text('{"id":"b1a3"}')
    (folder / "offsets" / "9").write_text(BATCH)
    (folder / "offsets" / "10").write_text(newest)
    (folder / "commits" / "9").write_text('v1\n{"nextBatchWatermarkMs":0}')
    return str(folder)


def test_a_whole_checkpoint_has_no_damage(tmp_path: Path) -> None:
    assert find_damage(checkpoint(tmp_path, BATCH)) == ""


def test_a_checkpoint_that_is_not_there_has_none_either(tmp_path: Path) -> None:
    assert find_damage(str(tmp_path)) == ""


def test_a_truncated_file_is_named_with_the_one_command_that_helps(tmp_path: Path) -> None:
    place = checkpoint(tmp_path, BATCH[:-9])
    assert find_damage(place) == (
        f"the checkpoint is damaged, {place}/offsets/10 isn't whole; delete what is left of it, "
        f"`rm -rf {place}/commits {place}/metadata {place}/offsets {place}/sources`: "
        "nothing is written twice, and what is missing is told"
    )


def test_an_empty_file_is_damage(tmp_path: Path) -> None:
    assert "offsets/10 isn't whole" in find_damage(checkpoint(tmp_path, ""))


def test_a_query_that_is_behind_what_it_wrote_is_told_every_folder_to_delete(tmp_path: Path) -> None:
    lake = tmp_path / ("a long name " * 15)
    locations = Locations(use_case_of(), lake)
    SmallTable(locations.batches).append([("vehicles",)], {"table": "VARCHAR"}, ("fluvial/q/batches", 7))
    place = str(lake / "checkpoint")
    require_progress(locations, place, "q", 7)
    with pytest.raises(StorageError, match="batch 6 comes, but batch 7 is written") as error:
        require_progress(locations, place, "q", 6)
    folders = " ".join(f"'{place}/{part}'" for part in ("commits", "metadata", "offsets", "sources"))
    assert f"`rm -rf {folders}`: nothing is written twice" in reason(error.value)
