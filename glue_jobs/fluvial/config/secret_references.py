"""Which secrets a use case's transforms need."""

from collections.abc import Iterator

from fluvial.config.deidentification import KeyParams
from fluvial.config.model import UseCase


def secret_references(use_case: UseCase) -> tuple[str, ...]:
    """Each `env:NAME` and `aws:NAME` once, sorted."""
    return tuple(sorted(set(_keys(use_case))))


def _keys(use_case: UseCase) -> Iterator[str]:
    for table in use_case.tables:
        yield from (step.params.key for step in table.transforms if isinstance(step.params, KeyParams))
