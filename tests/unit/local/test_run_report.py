import os
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from fluvial.config.locations import Locations
from fluvial.config.model import UseCase
from fluvial.local.home import Home
from fluvial.local.run_catch_up import TableCounts, count_arrived
from fluvial.local.run_report import Metric, read_report
from tests.unit.io.lakes import HISTORY_SCHEMA, LOG_SCHEMA, at, places_of, use_case_of, write_rows

_TIME = pa.timestamp("us", "UTC")
LOG = LOG_SCHEMA.append(pa.field("_query_id", pa.string())).append(pa.field("_batch_id", pa.int64()))
QUARANTINE = pa.schema([pa.field("id", pa.int32()), pa.field("_failed_rules", pa.list_(pa.string()))])
BATCHES = pa.schema(
    [
        pa.field("table", pa.string()),
        pa.field("query_id", pa.string()),
        pa.field("batch_id", pa.int64()),
        pa.field("log_rows", pa.int64()),
        pa.field("processed_at", _TIME),
    ]
)
METRICS = pa.schema(
    [
        pa.field("table", pa.string()),
        pa.field("batch_id", pa.int64()),
        pa.field("metric", pa.string()),
        pa.field("column", pa.string()),
        pa.field("value", pa.float64()),
        pa.field("threshold", pa.float64()),
        pa.field("severity", pa.string()),
        pa.field("is_breach", pa.bool_()),
        pa.field("measured_at", _TIME),
    ]
)


def event(key: int, committed: int, batch: int, *, is_quarantined: bool = False) -> dict[str, object]:
    return {
        "id": key,
        "_sequence": f"0000.1.{committed:016X}",
        "_operation": "INSERT",
        "_commit_time": at(committed),
        "_is_quarantined": is_quarantined,
        "_query_id": "q",
        "_batch_id": batch,
    }


@pytest.fixture
def use_case() -> UseCase:
    return use_case_of()


@pytest.fixture
def home(tmp_path: Path, use_case: UseCase) -> Home:
    """Batch 1 began at second 10 and was in the history at 14; batch 2 began at 20 and was in the history at 22.

    Of four inserts, the one of key 4 broke a rule.
    """
    home = Home(tmp_path)
    places, locations = places_of(use_case, home.lake, "vehicles"), Locations(use_case, home.lake)
    log = [event(1, 8, 1), event(2, 9, 1), event(3, 18, 2), event(4, 19, 2, is_quarantined=True)]
    write_rows(places.log, log, LOG)
    versions = [{"id": key, "_is_current": True} for key in (1, 2, 3)]
    for second, rows in ((14, versions[:2]), (22, versions[2:])):
        write_rows(places.history, rows, HISTORY_SCHEMA, mode="append")
        newest = max((Path(places.history) / "_delta_log").glob("*.json"))
        os.utime(newest, (at(second).timestamp(),) * 2)
    write_rows(places.quarantine, [{"id": 4, "_failed_rules": ["plate_format", "price_range"]}], QUARANTINE)
    batch = {"table": "vehicles", "query_id": "q", "log_rows": 2}
    begun = [{**batch, "batch_id": 1, "processed_at": at(10)}, {**batch, "batch_id": 2, "processed_at": at(20)}]
    write_rows(locations.batches, begun, BATCHES)
    metric = {"table": "vehicles", "metric": "completeness", "column": "plate", "threshold": 0.9, "severity": "error"}
    measured = [
        {**metric, "batch_id": 1, "value": 0.5, "is_breach": True, "measured_at": at(10)},
        {**metric, "batch_id": 2, "value": 1.0, "is_breach": False, "measured_at": at(20)},
    ]
    write_rows(locations.dq_metrics, measured, METRICS)
    return home


FULL = {"vehicles": TableCounts(source=4, current=3, held=1)}


def test_everything_that_arrived_is_counted_quarantined_events_too(use_case: UseCase, home: Home) -> None:
    assert count_arrived(use_case, home) == 4


def test_a_table_is_told_by_events_versions_and_broken_rules(use_case: UseCase, home: Home) -> None:
    (table,) = read_report(use_case, home, FULL, at(0), {"vehicles": 1}).tables
    assert (table.events, table.versions, table.quarantined) == (4, 3, 1)
    assert table.reasons == {"plate_format": 1, "price_range": 1}


def test_latency_ends_with_the_commit_of_the_history(use_case: UseCase, home: Home) -> None:
    latency = read_report(use_case, home, FULL, at(0), {}).latency
    assert latency is not None
    # Second 8 to 14, 9 to 14, 18 to 22.
    assert (latency.p50, latency.events) == (5.0, 3)
    assert latency.p95 == pytest.approx(5.9)


def test_the_first_version_counts_from_the_start_of_this_run(use_case: UseCase, home: Home) -> None:
    assert read_report(use_case, home, FULL, at(0), {}).first_version_seconds == 14.0
    assert read_report(use_case, home, FULL, at(15), {}).first_version_seconds == 7.0


@pytest.mark.parametrize("started", [at(40), at(40) + timedelta(days=1)])
def test_a_run_that_brought_nothing_has_no_times(use_case: UseCase, home: Home, started: datetime) -> None:
    report = read_report(use_case, home, FULL, started, {})
    assert (report.latency, report.first_version_seconds) == (None, None)


def test_of_a_metric_the_newest_value_counts(use_case: UseCase, home: Home) -> None:
    assert read_report(use_case, home, FULL, at(0), {}).metrics == (
        Metric("vehicles", "completeness", "plate", 1.0, 0.9, "error", is_breach=False),
    )


def test_a_whole_run_lacks_nothing(use_case: UseCase, home: Home) -> None:
    assert read_report(use_case, home, FULL, at(0), {"vehicles": 1}).missing == ()


def test_an_empty_lake_lacks_everything(use_case: UseCase, tmp_path: Path) -> None:
    empty = {"vehicles": TableCounts(source=2, current=0, held=0)}
    assert read_report(use_case, Home(tmp_path), empty, at(0), {"vehicles": 7}).missing == (
        "vehicles: no history",
        "vehicles: PostgreSQL has 2 rows, the lake shows 0 and holds 0 back in quarantine",
        "vehicles: 7 violations were written, none is in quarantine",
        "vehicles: no metrics",
    )
