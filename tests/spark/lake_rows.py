"""A lake's tables as the oracle's events and versions, read without Spark."""

from collections.abc import Iterable
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from deltalake import DeltaTable

Rows = list[dict[str, Any]]


def read_rows(path: str, version: int | None = None) -> Rows:
    """All rows of a Delta table; none where there is no table yet."""
    if not (Path(path) / "_delta_log").is_dir():
        return []
    rows: Rows = DeltaTable(path, version=version).to_pyarrow_table().to_pylist()
    return rows


def versions_since(path: str, version: int) -> range:
    """The numbers of the commits after that one; -1 stands for before the first."""
    newest = DeltaTable(path).version() if (Path(path) / "_delta_log").is_dir() else -1
    return range(version + 1, newest + 1)


def written_by(path: str) -> set[str]:
    """Which libraries wrote the files of a table's newest version."""
    files = (pq.read_metadata(file) for file in DeltaTable(path).file_uris())
    return {str(file.created_by).partition(" ")[0] for file in files}


def data_files(lake: Path) -> set[Path]:
    """Every data file of the lake, those that no version holds any more included."""
    return set(lake.rglob("*.parquet"))


def broken_intervals(history: Rows, primary_key: Iterable[str]) -> list[tuple[Any, ...]]:
    """H2: keys with two open versions, or with intervals that overlap or run backwards."""
    names = tuple(primary_key)

    def key(row: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(row[name] for name in names)

    ordered = sorted(history, key=lambda row: (key(row), row["_sequence"]))
    return [found for found, rows in groupby(ordered, key) if not _is_contiguous(list(rows))]


def _is_contiguous(versions: Rows) -> bool:
    is_open = [version["_effective_to"] is None for version in versions]
    if any(is_open[:-1]) or is_open != [version["_is_current"] for version in versions]:
        return False
    begins = all(
        version["_effective_from"] <= version["_effective_to"] for version in versions if version["_effective_to"]
    )
    return begins and all(
        earlier["_effective_to"] <= later["_effective_from"] and earlier["_end_sequence"] <= later["_sequence"]
        for earlier, later in pairwise(versions)
    )
