"""The use cases that DAGs are made of, each loaded on its own so that a broken one can't hide the others."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from airflow.configuration import conf

from fluvial.config.load import load_use_case
from fluvial.config.model import UseCase
from fluvial.config.placeholders import local_placeholders
from fluvial.errors import ConfigError, Problem

CONFIG_DIR_VARIABLE: Final = "FLUVIAL_CONFIG_DIR"


@dataclass(frozen=True)
class LoadedUseCase:
    """A valid use case and the file it came from, which tasks load again when they run."""

    use_case: UseCase
    path: Path


def config_dir() -> Path:
    """FLUVIAL_CONFIG_DIR, else the folder `config` beside Airflow's DAGs folder."""
    if configured := os.environ.get(CONFIG_DIR_VARIABLE):
        return Path(configured)
    return Path(conf.get("core", "dags_folder")).parent / "config"


def valid_use_cases() -> tuple[LoadedUseCase, ...]:
    """Every use case whose tables.yaml has no error, by name."""
    return _load_all()[0]


def broken_use_cases() -> ConfigError | None:
    """The problems of every other tables.yaml in one error, or None."""
    problems = _load_all()[1]
    return ConfigError(problems) if problems else None


def _load_all() -> tuple[tuple[LoadedUseCase, ...], tuple[Problem, ...]]:
    loaded: list[LoadedUseCase] = []
    problems: list[Problem] = []
    for path in sorted(config_dir().glob("*/tables.yaml")):
        try:
            loaded.append(LoadedUseCase(load_use_case(path, local_placeholders()), path.absolute()))
        except ConfigError as error:
            problems.extend(error.problems)
    return tuple(loaded), tuple(problems)
