from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fluvial.io.small_reads import read_columns


def write(folder: Path, name: str, ids: list[int]) -> dict[str, int]:
    path = folder / name
    pq.write_table(pa.table({"id": ids, "city": ["Lyon"] * len(ids), "price": [0.5] * len(ids)}), path)
    return {name: path.stat().st_size}


def test_columns_come_file_by_file_and_without_the_others(tmp_path: Path) -> None:
    files = write(tmp_path, "part-1.snappy.parquet", [3, 1]) | write(tmp_path, "part 2=ü.parquet", [2])
    assert read_columns(str(tmp_path), files, ["city", "id"]).to_pydict() == {
        "id": [3, 1, 2],
        "city": ["Lyon", "Lyon", "Lyon"],
    }


def test_no_file_has_no_row(tmp_path: Path) -> None:
    assert read_columns(str(tmp_path), {}, ["id"]).num_rows == 0


def test_a_file_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="gone"):
        read_columns(str(tmp_path), {"gone.parquet": 100}, ["id"])
