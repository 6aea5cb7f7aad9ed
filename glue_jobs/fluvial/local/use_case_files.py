"""Where a use case's files lie, for steps that get the use case as a value."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from fluvial.config.model import UseCase
from fluvial.errors import FluvialError
from fluvial.local.home import checkout_root

CONFIG_DIR_VARIABLE: Final = "FLUVIAL_CONFIG_DIR"


def tables_path(use_case: UseCase, inputs: Mapping[str, str]) -> Path:
    """The use case's tables.yaml: the input `config`, else in FLUVIAL_CONFIG_DIR, else in the checkout's `config`."""
    if configured := inputs.get("config"):
        return Path(configured).absolute()
    folder = os.environ.get(CONFIG_DIR_VARIABLE)
    config_dir = Path(folder).absolute() if folder else (checkout_root() or Path.cwd()) / "config"
    path = config_dir / use_case.name / "tables.yaml"
    if not path.is_file():
        raise FluvialError(f"{path} doesn't exist", f"run inside the checkout, or set {CONFIG_DIR_VARIABLE}")
    return path


def scenario_path(tables: Path) -> Path:
    """The scenario that lies beside a tables.yaml."""
    return tables.parent / "scenario.yaml"
