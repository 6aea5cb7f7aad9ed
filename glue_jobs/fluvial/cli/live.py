"""`fluvial validate --live`: the running source beside the file."""

from collections.abc import Sequence
from pathlib import Path

from fluvial.cli.selection import select_home
from fluvial.config.load import CheckedUseCase
from fluvial.errors import Problem
from fluvial.io.source_catalog import read_source_facts
from fluvial.local.endpoints import read_endpoints
from fluvial.verify.source_findings import source_findings


def live_problems(checked: CheckedUseCase, source: str | None, home: Path | None) -> Sequence[Problem]:
    """What the source of the local profile, or the one that `source` names, has otherwise; raises FluvialError."""
    use_case = checked.use_case
    dsn = source or read_endpoints(select_home(home)).postgres_dsn(use_case.database_name)
    return checked.file.problems(source_findings(use_case, read_source_facts(dsn, use_case)))
