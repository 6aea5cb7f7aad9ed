from pathlib import Path

from fluvial.io.state_files import LocalFiles, MemoryFiles
from fluvial.io.topic_ids import TopicIds


def test_a_topic_is_another_one_where_both_ids_are_known_and_differ() -> None:
    files = MemoryFiles()
    TopicIds(files).note({"cdc-items": "A", "cdc-people": "P"})
    later = TopicIds(files)
    assert [later.is_other("cdc-items", found) for found in ("A", "B", None)] == [False, True, False]
    assert not later.is_other("cdc-orders", "A")
    later.note({"cdc-items": "B"})
    assert [later.is_other("cdc-items", found) for found in ("A", "B")] == [True, False]


def test_an_id_is_written_when_it_changes_and_one_that_can_not_be_read_is_unknown(tmp_path: Path) -> None:
    ids = TopicIds(LocalFiles(str(tmp_path)))
    ids.note({"cdc-items": "A"})
    place = tmp_path / "cdc-items.json"
    place.write_text("{")
    ids.note({"cdc-items": "A"})
    assert place.read_text() == "{"
    assert not TopicIds(LocalFiles(str(tmp_path))).is_other("cdc-items", "B")
    place.write_bytes(b"\xff")
    again = TopicIds(LocalFiles(str(tmp_path)))
    assert not again.is_other("cdc-items", "B")
    again.note({"cdc-items": "B"})
    assert place.read_text() == '"B"'
