from pathlib import Path
from typing import Any

from fluvial.config.lanes import lanes_of
from fluvial.config.locations import Locations
from fluvial.config.model import UseCase
from tests.unit.io.lakes import use_case_of


def use_case(**lanes: Any) -> UseCase:
    """Tables a, b and hot; hot has a lane of its own."""
    plain = use_case_of()
    table = plain.tables[0]
    tables = tuple(
        table.model_copy(update={"name": name, "topic": f"cdc-{name}", "lane": lane})
        for name, lane in (("a", "main"), ("hot", "telemetry"), ("b", "main"))
    )
    settings = plain.settings.model_validate({**plain.settings.model_dump(), "lanes": lanes})
    return plain.model_copy(update={"tables": tables, "settings": settings})


def test_tables_without_a_lane_share_the_main_one() -> None:
    assert [(lane.name, lane.topics) for lane in lanes_of(use_case())] == [
        ("main", ("cdc-a", "cdc-b")),
        ("telemetry", ("cdc-hot",)),
    ]


def test_a_lane_runs_as_the_settings_say_unless_it_has_its_own() -> None:
    lanes = lanes_of(use_case(telemetry={"trigger_interval": "1 second"}))
    assert [(lane.trigger_interval, lane.max_records_per_batch) for lane in lanes] == [
        ("10 seconds", 200_000),
        ("1 second", 200_000),
    ]


def test_the_main_lane_keeps_the_checkpoint_that_a_use_case_without_lanes_has() -> None:
    places = Locations(use_case(), Path("/lake"))
    assert places.lane_checkpoint("main") == places.checkpoint
    assert places.lane_checkpoint("telemetry") == f"{places.checkpoint}/lanes/telemetry"
