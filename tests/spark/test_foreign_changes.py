"""What others do to a log or a history is noticed, said with the ways out, and harms neither data nor other tables."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from fluvial.config.locations import Locations, TableLocations
from fluvial.config.model import UseCase
from fluvial.errors import StorageError
from fluvial.io.lake_writer import LakeWriter
from fluvial.io.rebuild import rebuild_table
from fluvial.io.verify import verify_table
from tests.spark.records import TINY, MakeWriter, debezium, records

Write = Callable[..., None]
"""(number, query id) -> writes a batch with one new item and one new person."""


def item(key: int) -> dict[str, object]:
    return {"id": key, "a": "A", "b": "b", "price": "1.00", "seen_at": None}


@pytest.fixture
def places(tiny: UseCase, lake: Path) -> TableLocations:
    return Locations(tiny, lake).table(tiny.table("items"))


@pytest.fixture
def write(spark: SparkSession, make_writer: MakeWriter) -> Write:
    writer = make_writer()

    def write_batch(number: int, query_id: str = "") -> None:
        people = [debezium("c", number, {"id": number, "email": "x@y.z", "age": 3})]
        both = records(spark, [debezium("c", number, item(number))], first=number).union(
            records(spark, people, topic="cdc-people", first=number)
        )
        (make_writer(query_id) if query_id else writer).write(both, number)

    return write_batch


def ids(spark: SparkSession, path: str) -> list[int]:
    return sorted(row[0] for row in spark.read.format("delta").load(path).select("id").collect())


def is_right(tiny: UseCase, lake: Path) -> bool:
    return verify_table(tiny, lake, tiny.table("items")).is_same


@pytest.mark.slow
def test_a_damaged_history_stops_its_table_until_it_is_restored_or_rebuilt(
    spark: SparkSession, tiny: UseCase, lake: Path, places: TableLocations, write: Write
) -> None:
    write(1)
    write(2)
    spark.sql(f"OPTIMIZE delta.`{places.history}`")
    spark.sql(f"ALTER TABLE delta.`{places.log}` SET TBLPROPERTIES ('note' = 'theirs')")
    write(3)
    spark.sql(f"UPDATE delta.`{places.history}` SET a = 'X' WHERE id = 1")
    message = "its history was changed by something else: version 4 is a UPDATE by Apache-Spark"
    with pytest.raises(StorageError, match=message) as caught:
        write(4)
    people = Locations(tiny, lake).table(tiny.table("people")).history
    assert (ids(spark, people), ids(spark, places.log)) == ([1, 2, 3, 4], [1, 2, 3])
    assert f"RESTORE TABLE delta.`{places.history}` TO VERSION AS OF 3" in caught.value.hint
    assert "`fluvial rebuild items`" in caught.value.hint
    with pytest.raises(StorageError, match=message):
        write(4, "after a restart")

    spark.sql(f"RESTORE TABLE delta.`{places.history}` TO VERSION AS OF 3")
    write(4)
    assert (ids(spark, places.history), is_right(tiny, lake)) == ([1, 2, 3, 4], True)

    spark.sql(f"DELETE FROM delta.`{places.history}` WHERE id < 4")
    with pytest.raises(StorageError, match="is a DELETE"):
        write(5)
    assert not is_right(tiny, lake)
    assert rebuild_table(spark, tiny.table("items"), Locations(tiny, lake)) == 4
    assert is_right(tiny, lake)
    write(5)
    write(6, "after a restart")
    assert (ids(spark, places.history), is_right(tiny, lake)) == ([1, 2, 3, 4, 5, 6], True)

    shutil.rmtree(places.history)
    write(7)
    assert (ids(spark, places.history), is_right(tiny, lake)) == ([1, 2, 3, 4, 5, 6, 7], True)


@pytest.mark.slow
def test_the_log_goes_on_beside_a_damaged_history_until_that_is_to_be_settled(spark: SparkSession, lake: Path) -> None:
    lazy = UseCase.model_validate(TINY | {"settings": {**TINY["settings"], "settle": {"policy": "rows", "rows": 2}}})
    items = Locations(lazy, lake).table(lazy.table("items"))
    writer = LakeWriter(spark, lazy, Locations(lazy, lake), "query-1")

    def write(number: int) -> None:
        writer.write(records(spark, [debezium("c", number, item(number))], first=number), number)

    for number in (1, 2):
        write(number)
    spark.sql(f"DELETE FROM delta.`{items.history}` WHERE id = 1")
    write(3)
    assert (ids(spark, items.log), ids(spark, items.history)) == ([1, 2, 3], [2])
    with pytest.raises(StorageError, match="its history was changed by something else: version 1 is a DELETE"):
        write(4)
    assert ids(spark, items.log) == [1, 2, 3]
    spark.sql(f"RESTORE TABLE delta.`{items.history}` TO VERSION AS OF 0")
    write(4)
    assert ids(spark, items.history) == [1, 2, 3, 4]


def test_a_column_of_another_type_is_named_before_anything_is_written(
    spark: SparkSession, tiny: UseCase, lake: Path, places: TableLocations, write: Write
) -> None:
    write(1)
    narrower = json.loads(json.dumps(TINY))
    narrower["tables"][0]["schema"][0]["type"] = "smallint"
    changed = UseCase.model_validate(narrower)
    writer = LakeWriter(spark, changed, Locations(changed, lake), "query-2")
    with pytest.raises(StorageError, match=r"column id of its history is integer, tables\.yaml makes it short"):
        writer.write(records(spark, [debezium("c", 2, item(2))], first=2), 2)
    assert ids(spark, places.log) == [1]


@pytest.mark.slow
def test_a_damaged_log_is_never_settled_from(
    spark: SparkSession, tiny: UseCase, lake: Path, places: TableLocations, write: Write, tmp_path: Path
) -> None:
    write(1)
    write(2)
    copy = shutil.copytree(places.log, tmp_path / "copy")
    spark.sql(f"ALTER TABLE delta.`{places.log}` SET TBLPROPERTIES ('delta.appendOnly' = 'false')")
    spark.sql(f"DELETE FROM delta.`{places.log}` WHERE id = 1")
    with pytest.raises(StorageError, match="its log was changed by something else: version 3 is a DELETE"):
        write(3)
    assert (ids(spark, places.log), ids(spark, places.history)) == ([2], [1, 2])
    spark.sql(f"RESTORE TABLE delta.`{places.log}` TO VERSION AS OF 2")
    write(3)
    assert (ids(spark, places.log), is_right(tiny, lake)) == ([1, 2, 3], True)

    spark.sql(f"RESTORE TABLE delta.`{places.log}` TO VERSION AS OF 1")
    with pytest.raises(StorageError, match="its log lacks events that Fluvial wrote"):
        write(4)

    shutil.rmtree(places.log)
    shutil.copytree(copy, places.log)
    with pytest.raises(StorageError, match=r"its log ends at version 1, and its history holds the log up to version 5"):
        write(4, "after a restart")
    shutil.rmtree(places.log)
    with pytest.raises(StorageError, match="there is a history, but its log is gone") as caught:
        write(4, "after a restart")
    assert not Path(places.log).exists()
    assert "move the history away and delete the checkpoint" in caught.value.hint
    shutil.rmtree(places.history)
    write(4, "after both were taken away")
    assert (ids(spark, places.log), is_right(tiny, lake)) == ([4], True)
