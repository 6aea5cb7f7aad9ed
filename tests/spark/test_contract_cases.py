"""The table of cases of the contract, through the whole chain and a real settle: few tables, one key for each case."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from fluvial.config.locations import Locations
from fluvial.config.model import UseCase
from fluvial.io.lake_writer import LakeWriter
from fluvial.io.verify import verify_table
from fluvial.streams import TableCounts
from tests.spark.lake_checks import second
from tests.spark.lake_rows import read_rows
from tests.spark.records import COMMIT_MICROS, TINY, debezium, records

TOAST = "__debezium_unavailable_value"
COLUMNS = [{"name": "id", "type": "int"}, {"name": "a", "type": "string"}, {"name": "b", "type": "string"}]
RULES = [{"id": "a_known", "type": "regex", "column": "a", "params": {"pattern": "^[A-Z]$"}}]


def table(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "primary_key": "id", "schema": COLUMNS, "dq_rules": RULES, **fields}


PARTED = [{"name": "part", "type": "string"}, *COLUMNS]
CASES = UseCase.model_validate(
    TINY
    | {
        "tables": [
            table("plain", primary_key=["part", "id"], schema=PARTED),
            table("tracked", track_columns=["a"]),
            table("whole"),
        ]
    }
)
Batch = dict[str, list[str]]
"""Values by table."""


def row(key: int, a: str, b: str | None = "p") -> dict[str, Any]:
    return {"id": key, "a": a, "b": b}


def put(key: int, a: str, lsn: int, b: str | None = "p", **fields: Any) -> str:
    return debezium("u", lsn, {"part": "x", **row(key, a, b)}, **fields)


def gone(key: int, lsn: int) -> str:
    return debezium("d", lsn, {"part": "x", **row(key, "Z")})


class Lake:
    """Micro-batches of several tables, and what became of them."""

    def __init__(self, spark: SparkSession, root: Path, use_case: UseCase = CASES) -> None:
        self.spark, self.root, self.use_case = spark, root, use_case
        self.writer = LakeWriter(spark, use_case, Locations(use_case, root), "query")
        self.batches = 0

    def write(self, batch: Batch) -> dict[str, TableCounts]:
        frames = [
            records(self.spark, values, topic=f"cdc-{name}", first=100 * self.batches) for name, values in batch.items()
        ]
        whole = frames[0]
        for frame in frames[1:]:
            whole = whole.union(frame)
        self.batches += 1
        return self.writer.write(whole, self.batches - 1)

    def versions(self, name: str, *shown: str) -> dict[int, list[str]]:
        """Versions by id as `a[from,to)`, positions as `epoch:LSN` behind the first epoch."""
        path = Locations(self.use_case, self.root).table(self.use_case.table(name)).history
        rows = self.spark.read.format("delta").load(path).orderBy("id", "_sequence").collect()
        found: dict[int, list[str]] = {}
        for version in rows:
            values = "/".join(str(version[column]) for column in shown or ("a",))
            text = f"{values}[{place(version['_sequence'])},{place(version['_end_sequence'])})"
            found.setdefault(version["id"], []).append(text)
        return found

    def uncertain(self, name: str) -> dict[int, str]:
        path = Locations(self.use_case, self.root).table(self.use_case.table(name)).history
        rows = self.spark.read.format("delta").load(path).where("_uncertain_since is not null").collect()
        return {version["id"]: version["_uncertain_since"] for version in rows}

    def verify(self) -> None:
        for table in self.use_case.tables:
            assert verify_table(self.use_case, self.root, table).is_same


def place(sequence: str | None) -> str:
    if sequence is None:
        return ""
    epoch, _, position = sequence.split(".")
    return f"{int(epoch)}:{int(position, 16)}" if epoch != "0000" else str(int(position, 16))


@pytest.mark.slow
def test_every_case_of_the_contract_makes_its_versions(spark: SparkSession, tmp_path: Path) -> None:
    lake = Lake(spark, tmp_path)
    lake.write(
        {
            "plain": [
                *(put(1, "A", 5), put(1, "B", 10)),
                put(2, "A", 5),
                gone(3, 10),
                *(put(4, "A", 5), gone(4, 10), gone(4, 12)),
                *(put(5, "A", 5), put(5, "B", 10)),
                *(put(6, "A", 5), put(6, "B", 10)),
                *(put(7, "A", 5), gone(7, 10), put(7, "A", 12)),
                put(8, "A", 5),
                put(9, "A", 5),
                *(put(10, "A", 5), put(10, "Y", 9, TOAST)),
                *(put(11, "A", 5), gone(11, 9), debezium("c", 9, {"part": "x", **row(12, "A")})),
                *(put(13, "A", 5), debezium("u", 9, {"part": "x", "id": 13, "a": "B"})),
                *(put(14, "A", 5, time=20), put(14, "B", 6, time=9), put(14, "C", 7, time=9)),
                *(put(15, "A", 5), put(15, "bad", 7), put(15, "C", 9, TOAST)),
                *(put(16, "A", 5), put(16, "Z", 10)),
            ],
            "tracked": [put(1, "A", 5), put(2, "A", 5, "q"), put(2, "A", 10, "r"), put(3, "A", 5), gone(3, 7)],
            "whole": [
                *(put(1, "A", 5), put(2, "A", 5), debezium("t", 8), put(2, "B", 9, TOAST)),
                *(put(4, "A", 11), put(5, "A", 12), put(6, "A", 13), put(7, "A", 14)),
            ],
        }
    )
    late = {
        "plain": [
            *(put(1, "C", 7), put(2, "A", 3), put(3, "A", 5), put(4, "B", 11), gone(5, 7), gone(6, 10)),
            *(put(8, "A", 5), put(9, "B", 5), put(10, "Z", 7, "q"), gone(16, 10)),
            debezium("c", 5, {"part": "z\u2028\x85", **row(17, "A")}),
        ],
        "tracked": [put(1, "A", 3), put(2, "B", 7, "s"), put(3, "A", 9)],
        "whole": [put(3, "A", 5)],
    }
    lake.write(late)
    plain = lake.versions("plain", "a", "b")
    winner = plain.pop(9)
    assert winner in (["A/p[5,)"], ["B/p[5,)"])
    assert plain == {
        1: ["A/p[5,7)", "C/p[7,10)", "B/p[10,)"],
        2: ["A/p[3,5)", "A/p[5,)"],
        3: ["A/p[5,10)"],
        4: ["A/p[5,10)", "B/p[11,12)"],
        5: ["A/p[5,7)", "B/p[10,)"],
        6: ["A/p[5,10)"],
        7: ["A/p[5,10)", "A/p[12,)"],
        8: ["A/p[5,)"],
        10: ["A/p[5,7)", "Z/q[7,9)", "Y/q[9,)"],
        11: ["A/p[5,9)"],
        12: ["A/p[9,)"],
        13: ["A/p[5,9)", "B/p[9,)"],
        14: ["A/p[5,6)", "B/p[6,7)", "C/p[7,)"],
        15: ["A/p[5,9)", "C/None[9,)"],
        16: ["A/p[5,10)"],
        17: ["A/p[5,)"],
    }
    assert verify_table(CASES, tmp_path, CASES.table("plain")).sequence_conflicts == 3
    assert lake.versions("tracked", "a", "b") == {
        1: ["A/p[3,)"],
        2: ["A/q[5,7)", "B/s[7,10)", "A/r[10,)"],
        3: ["A/p[5,7)", "A/p[9,)"],
    }
    assert lake.versions("whole", "a", "b") == {
        1: ["A/p[5,8)"],
        2: ["A/p[5,8)", "B/None[9,)"],
        3: ["A/p[5,8)"],
        4: ["A/p[11,)"],
        5: ["A/p[12,)"],
        6: ["A/p[13,)"],
        7: ["A/p[14,)"],
    }
    lake.verify()

    def read(key: int, a: str, lsn: int, snapshot: str = "true") -> str:
        return debezium("r", lsn, row(key, a), time=60, epoch="1", snapshot=snapshot)

    interrupted = [read(7, "A", 40), read(8, "N", 40)]
    snapshot = [read(4, "A", 50), read(5, "B", 50), read(9, "N", 50, "last_in_data_collection")]
    counts = lake.write({"whole": [*interrupted, *snapshot, put(4, "C", 3, epoch="1", time=61)]})
    assert counts == {"whole": TableCounts(consumed=6, log_rows=6)}
    after_snapshot = {
        1: ["A[5,8)"],
        2: ["A[5,8)", "B[9,1:50)"],
        3: ["A[5,8)"],
        4: ["A[11,1:3)", "C[1:3,)"],
        5: ["A[12,1:50)", "B[1:50,)"],
        6: ["A[13,1:50)"],
        7: ["A[14,1:50)"],
        8: ["N[1:40,1:50)"],
        9: ["N[1:50,)"],
    }
    assert lake.versions("whole") == after_snapshot
    start = "0001.0.0000000000000000"
    inferred = {2: start, 6: start, 7: start, 8: "0001.0.0000000000000028"}
    assert lake.uncertain("whole") == inferred
    lake.verify()

    lake.write({"whole": [read(6, "A", 50), put(2, "E", 10), gone(5, 15), read(9, "N", 50, "last")]})
    assert lake.versions("whole") == after_snapshot | {
        2: ["A[5,8)", "B[9,10)", "E[10,1:50)"],
        5: ["A[12,15)", "B[1:50,)"],
        6: ["A[13,)"],
    }
    assert lake.uncertain("whole") == {key: inferred[key] for key in (2, 7, 8)}
    lake.verify()


@pytest.mark.slow
def test_a_second_row_of_one_snapshot_leaves_the_start_of_the_first_where_the_clock_had_run_backwards(
    spark: SparkSession, tmp_path: Path
) -> None:
    lake = Lake(spark, tmp_path, CASES.model_copy(update={"tables": (CASES.table("whole"),)}))

    def read(a: str, lsn: int, epoch: str, time: int) -> str:
        return debezium("r", lsn, row(1, a), time=time, epoch=epoch)

    lake.write({"whole": [put(1, "A", 5), read("A", 40, "1", 90), read("B", 40, "2", 60)]})
    lake.write({"whole": [read("C", 50, "2", 95)]})
    rows = read_rows(Locations(CASES, tmp_path).table(CASES.table("whole")).history)
    starts = sorted((row["a"], second(row["_effective_from"]), second(row["_effective_to"])) for row in rows)
    assert starts == [("A", 5, 90), ("B", 90, 95), ("C", 95, None)]
    lake.verify()


@pytest.mark.slow
def test_an_added_column_opens_a_version_only_where_a_value_arrives(spark: SparkSession, tmp_path: Path) -> None:
    narrow = CASES.model_copy(update={"tables": (CASES.table("whole"),)})
    Lake(spark, tmp_path, narrow).write({"whole": [put(1, "A", 5), put(2, "A", 5)]})
    wide = UseCase.model_validate(TINY | {"tables": [table("whole", schema=[*COLUMNS, {"name": "c", "type": "int"}])]})
    lake = Lake(spark, tmp_path, wide)
    lake.batches = 1
    lake.write({"whole": [debezium("u", 9, row(2, "A") | {"c": 7}), debezium("u", 8, row(1, "B"))]})
    assert lake.versions("whole", "a", "c") == {
        1: ["A/None[5,8)", "B/None[8,)"],
        2: ["A/None[5,9)", "A/7[9,)"],
    }
    lake.verify()


@pytest.mark.slow
def test_the_plain_table_answers_what_was_and_what_is_for_readers_without_a_view(
    spark: SparkSession, tmp_path: Path
) -> None:
    lake = Lake(spark, tmp_path, CASES.model_copy(update={"tables": (CASES.table("whole"),)}))
    whole = [put(1, "A", 5, time=20), put(1, "B", 6, time=20), put(1, "C", 7, time=30), put(2, "A", 8, time=30)]
    lake.write({"whole": [*whole, gone(2, 31), put(3, "A", 40), put(3, "B", 41, time=10)]})
    lake.write({"whole": [put(1, "D", 4, time=20), put(2, "B", 33), debezium("t", 50)]})
    history = DeltaTable(Locations(CASES, tmp_path).table(CASES.table("whole")).history).to_pyarrow_table()

    def as_of(when: int) -> dict[int, str]:
        moment = datetime.fromtimestamp(COMMIT_MICROS / 1_000_000 + when, UTC)
        begun = pc.less_equal(history["_effective_from"], moment)
        not_over = pc.or_kleene(pc.greater(history["_effective_to"], moment), pc.is_null(history["_effective_to"]))
        rows = history.filter(pc.and_(begun, pc.fill_null(not_over, False))).to_pylist()
        assert len({row["id"] for row in rows}) == len(rows)
        return {row["id"]: row["a"] for row in rows}

    assert {when: as_of(when) for when in (19, 20, 29, 30, 31, 32, 33, 39, 40, 49, 50)} == {
        19: {},
        20: {1: "B"},
        29: {1: "B"},
        30: {1: "C", 2: "A"},
        31: {1: "C"},
        32: {1: "C"},
        33: {1: "C", 2: "B"},
        39: {1: "C", 2: "B"},
        40: {1: "C", 2: "B", 3: "B"},
        49: {1: "C", 2: "B", 3: "B"},
        50: {},
    }
    assert history.filter(history["_is_current"]).num_rows == 0
    assert lake.versions("whole") == {
        1: ["D[4,5)", "A[5,6)", "B[6,7)", "C[7,50)"],
        2: ["A[8,31)", "B[33,50)"],
        3: ["A[40,41)", "B[41,50)"],
    }


@pytest.mark.slow
def test_a_truncate_of_what_is_empty_already_changes_nothing_and_holds_nothing_up(
    spark: SparkSession, tmp_path: Path
) -> None:
    lake = Lake(spark, tmp_path, CASES.model_copy(update={"tables": (CASES.table("tracked"),)}))
    lake.write({"tracked": [debezium("t", 1)]})
    lake.write({"tracked": [put(1, "A", 5), gone(1, 6)]})
    lake.write({"tracked": [debezium("t", 8)]})
    lake.write({"tracked": [put(1, "B", 9), put(1, "Z", 4)]})
    assert lake.versions("tracked") == {1: ["Z[4,5)", "A[5,6)", "B[9,)"]}
    lake.verify()
