"""CATALOG: which views `fluvial query` offers, and whether their tables can be read."""

from fluvial.config.model import UseCase
from fluvial.io.delta_files import read_snapshot
from fluvial.io.lake import lake_relations
from fluvial.local.home import Home
from fluvial.plan.steps import Step


def register_catalog(step: Step, use_case: UseCase, home: Home) -> dict[str, object]:
    """Names of the views; those in `empty` have no table yet because no event has arrived."""
    relations = lake_relations(use_case, home.lake)
    snapshots = {location: read_snapshot(location) for location in {relation.location for relation in relations}}
    return {
        "views": [relation.name for relation in relations],
        "empty": [relation.name for relation in relations if snapshots[relation.location] is None],
    }
