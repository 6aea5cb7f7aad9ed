from pathlib import Path

from fluvial.local.consumer_lag import finished_offsets


def write_batch(query: Path, batch: int, offsets: str, *, is_finished: bool) -> None:
    for folder in ("offsets", "commits"):
        (query / folder).mkdir(parents=True, exist_ok=True)
    (query / "offsets" / str(batch)).write_text('v1\n{"batchWatermarkMs":0}\n' + offsets)
    if is_finished:
        (query / "commits" / str(batch)).write_text('v1\n{"nextBatchWatermarkMs":0}')


def test_only_finished_micro_batches_count(tmp_path: Path) -> None:
    write_batch(tmp_path / "orders", 9, '{"cdc-orders":{"0":100}}', is_finished=True)
    write_batch(tmp_path / "orders", 10, '{"cdc-orders":{"0":250}}', is_finished=True)
    write_batch(tmp_path / "orders", 11, '{"cdc-orders":{"0":300}}', is_finished=False)

    assert finished_offsets(tmp_path) == {"cdc-orders": {"0": 250}}


def test_the_offsets_of_all_queries_come_together(tmp_path: Path) -> None:
    write_batch(tmp_path / "orders", 0, '{"cdc-orders":{"0":1}}', is_finished=True)
    write_batch(tmp_path / "lines", 0, '{"cdc-lines":{"0":2,"1":3}}', is_finished=True)

    assert finished_offsets(tmp_path) == {"cdc-orders": {"0": 1}, "cdc-lines": {"0": 2, "1": 3}}


def test_no_checkpoint_means_nothing_is_finished(tmp_path: Path) -> None:
    assert finished_offsets(tmp_path / "absent") == {}
