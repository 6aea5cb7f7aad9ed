import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fluvial.errors import StorageError
from fluvial.io.parked import BatchId, OffsetRange, ParkedTable, Share, from_json, pause_seconds, to_json
from fluvial.io.parking import Parking, read_parked_tables
from fluvial.io.state_files import LocalFiles, MemoryFiles

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def share(batch: int, first: int, end: int, *, query: str = "q", partition: int = 0) -> Share:
    return Share(BatchId(query, batch), end - first, (OffsetRange("cdc-items", partition, first, end),))


def parked(*shares: Share) -> ParkedTable:
    return ParkedTable("items", "main", NOW, "no way", NOW, shares=shares)


def parking(files: MemoryFiles | None = None) -> Parking:
    return Parking(files or MemoryFiles(), "main", 10, lambda: 1.0)


def test_shares_that_nobody_has_tried_become_one_up_to_the_most_records_of_a_batch() -> None:
    table = parked(share(7, 0, 4)).begun()
    for batch in (8, 9, 10, 11):
        table = table.with_share(share(batch, batch * 4, batch * 4 + 4), most_records=10)
    assert [(each.batch.number, each.records, str(each.ranges[0])) for each in table.shares] == [
        (7, 4, "cdc-items partition 0, offsets 0 to 3"),
        (9, 8, "cdc-items partition 0, offsets 32 to 39"),
        (11, 8, "cdc-items partition 0, offsets 40 to 47"),
    ]


def test_partitions_stay_apart_when_shares_become_one() -> None:
    joined = share(1, 0, 4).joined(share(2, 9, 11, partition=1))
    assert [str(each) for each in joined.ranges] == [
        "cdc-items partition 0, offsets 0 to 3",
        "cdc-items partition 1, offsets 9 to 10",
    ]


def test_shares_of_two_queries_are_never_put_together() -> None:
    table = parked(share(1, 0, 2)).with_share(share(0, 0, 2, query="other"), most_records=10)
    assert [each.batch.query_id for each in table.shares] == ["q", "other"]


def test_a_batch_is_known_while_it_waits_and_after_it_was_written() -> None:
    waiting = parked(share(7, 0, 4), share(9, 4, 8))
    written = waiting.advanced(NOW).advanced(NOW)
    assert [waiting.has_taken(BatchId("q", number)) for number in (8, 9, 10)] == [True, True, False]
    assert [written.has_taken(BatchId("q", number)) for number in (8, 9, 10)] == [True, True, False]
    assert not written.has_taken(BatchId("other", 9))


def test_pauses_double_up_to_five_minutes_and_half_of_each_is_random() -> None:
    assert [pause_seconds(attempts, 1.0) for attempts in (1, 2, 3, 8, 9, 1000)] == [2, 4, 8, 256, 300, 300]
    assert [pause_seconds(attempts, 0.0) for attempts in (1, 9)] == [1, 150]


def test_what_is_written_to_disk_is_read_as_it_was() -> None:
    table = replace(parked(share(7, 0, 4).joined(share(8, 3, 9, partition=1))), done=BatchId("q", 6), stop="gone")
    assert from_json(to_json(table)) == table


def test_a_parked_table_takes_later_batches_and_is_due_after_its_pause() -> None:
    found = parking()
    found.park("items", share(7, 0, 4), "no way", NOW)
    assert found.takes("items", share(8, 4, 6))
    assert not found.takes("people", share(8, 4, 6))
    assert found.due(["items", "people"], NOW + timedelta(seconds=1)) == []
    assert found.due(["items", "people"], NOW + timedelta(seconds=2)) == ["items"]


def test_another_process_finds_what_the_first_one_parked() -> None:
    files = MemoryFiles()
    parking(files).park("items", share(7, 0, 4), "no way", NOW)
    begun = parking(files).begin("items")
    assert begun is not None
    assert (begun.records, begun.is_tried) == (4, True)


def test_a_table_that_has_caught_up_takes_nothing_but_what_it_took_before() -> None:
    found = parking()
    found.park("items", share(7, 0, 4), "no way", NOW)
    found.begin("items")
    found.advance("items", NOW)
    assert found.takes("items", share(7, 0, 4))
    assert not found.takes("items", share(8, 4, 6))


def test_a_stopped_table_is_never_due_until_it_is_resumed() -> None:
    found = parking()
    found.stop("items", "offsets 0 to 3 are gone", NOW)
    found.takes("items", share(8, 4, 6))
    assert found.due(["items"], NOW + timedelta(days=1)) == []
    found.resume("items", NOW)
    assert found.due(["items"], NOW) == ["items"]
    with pytest.raises(StorageError, match="items isn't stopped"):
        found.resume("items", NOW)


def test_a_table_that_its_breaker_stopped_has_no_gap_to_accept_and_its_bad_records_only_if_somebody_says_so() -> None:
    found = parking()
    found.park("items", share(7, 0, 4), "bad", NOW)
    found.open_circuit("items", "bad", NOW)
    assert found.due(["items"], NOW + timedelta(days=1)) == []
    resumed = found.resume("items", NOW)
    assert (resumed.stop, resumed.accepts_gap, resumed.accepts_bad) == ("", False, False)
    found.open_circuit("items", "still bad", NOW)
    resumed = found.resume("items", NOW, accepts_bad=True)
    assert (resumed.accepts_gap, resumed.accepts_bad) == (False, True)
    found.stop("items", "offsets 0 to 3 are gone", NOW)
    resumed = found.resume("items", NOW)
    assert (resumed.accepts_gap, resumed.accepts_bad) == (True, True)
    assert from_json(to_json(resumed)) == resumed
    caught_up = found.advance("items", NOW)
    assert (caught_up.accepts_gap, caught_up.accepts_bad, caught_up.is_parked) == (False, False, False)


def test_what_was_parked_before_there_were_breakers_is_read() -> None:
    told = json.loads(to_json(parked(share(7, 0, 4))))
    older = {name: value for name, value in told.items() if name not in {"is_open", "accepts_bad"}}
    assert from_json(json.dumps(older)) == parked(share(7, 0, 4))


def test_a_notice_says_what_somebody_has_to_know() -> None:
    table = parked(share(7, 0, 4))
    assert str(table.notice) == (
        "items (lane main) is parked since 2026-01-01T00:00:00+00:00, 4 records wait, "
        "next try 2026-01-01T00:00:00+00:00: no way"
    )
    assert str(replace(table, stop="offsets are gone").notice) == (
        "items (lane main) is stopped since 2026-01-01T00:00:00+00:00, 4 records wait, no try: offsets are gone"
    )


def test_a_state_file_is_replaced_as_a_whole_and_a_broken_one_is_named(tmp_path: object) -> None:
    files = LocalFiles(f"{tmp_path}/parked")
    assert (files.read("items"), files.names()) == (None, [])
    files.write("items", "{}")
    assert (files.read("items"), files.names()) == ("{}", ["items"])
    with pytest.raises(StorageError, match="what waits for items can't be read"):
        Parking(files, "main", 10).find("items")
    with pytest.raises(StorageError, match="isn't a folder of this machine"):
        LocalFiles("s3://bucket/parked").read("items")


def test_a_file_that_can_not_be_read_stops_its_table_alone_and_is_kept(tmp_path: Path) -> None:
    files = LocalFiles(f"{tmp_path}/parked")
    files.write("items", '{"table": "items", "shar')
    files.write("orders", to_json(replace(parked(share(7, 0, 4)), table="orders")))
    (tmp_path / "parked" / "people.json").write_bytes(b"\xff\xfe")
    found = Parking(files, "main", 10)
    found.mend(["items", "orders", "people", "new"], NOW)
    known = [found.find(name) for name in ("items", "orders", "people", "new")]
    assert [each.stop if each else None for each in known] == [
        f"the file that says what waited for items can't be read and is kept as {tmp_path}/parked/items.unreadable; "
        "take a new snapshot of items or accept the gap, then `fluvial down`, `fluvial parked resume items`, "
        "`fluvial up`",
        "",
        f"the file that says what waited for people can't be read and is kept as {tmp_path}/parked/people.unreadable; "
        "take a new snapshot of people or accept the gap, then `fluvial down`, `fluvial parked resume people`, "
        "`fluvial up`",
        None,
    ]
    assert (tmp_path / "parked" / "items.unreadable").read_text() == '{"table": "items", "shar'
    assert (tmp_path / "parked" / "people.unreadable").read_bytes() == b"\xff\xfe"
    assert [each.table for each in read_parked_tables(files.folder)] == ["items", "orders", "people"]


def test_what_is_known_of_a_parked_table_is_never_mended(tmp_path: Path) -> None:
    files = LocalFiles(f"{tmp_path}/parked")
    found = Parking(files, "main", 10)
    found.park("items", share(7, 0, 4), "no way", NOW)
    files.write("items", "half of")
    found.mend(["items"], NOW)
    known = found.find("items")
    assert (known is not None and known.waiting, files.read("items")) == (4, "half of")
