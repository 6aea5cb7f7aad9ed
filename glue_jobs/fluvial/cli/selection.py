"""Which use case and which lake a command works on."""

import os
import shlex
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Final

import typer

from fluvial.config.load import load_use_case, resolve_use_case_path
from fluvial.config.model import Table, UseCase
from fluvial.config.placeholders import local_placeholders
from fluvial.errors import FluvialError
from fluvial.local.home import Home, checkout_root, default_home

DEFAULT_USE_CASE: Final = "vehicle-telemetry"

UseCaseArgument = Annotated[
    str | None, typer.Argument(help="A use case, its folder or its tables.yaml.", show_default=False)
]
ConfigOption = Annotated[
    str | None,
    typer.Option(
        "--config",
        "--use-case",
        help=f"A use case, its folder or its tables.yaml; {DEFAULT_USE_CASE} or the only one if left out.",
    ),
]
HomeOption = Annotated[Path | None, typer.Option("--home", help="State directory; FLUVIAL_HOME by default.")]


def select_use_case(
    config: str | None, config_dir: Path | None = None, placeholders: Mapping[str, str] | None = None
) -> UseCase:
    """The use case that `config` names, else vehicle-telemetry or the only one: in the checkout's own by default."""
    path = select_tables(config, config_dir)
    return load_use_case(path, local_placeholders() if placeholders is None else placeholders)


def select_tables(config: str | None, config_dir: Path | None = None) -> Path:
    """The tables.yaml of that use case."""
    config_dir = config_dir or _config_dir()
    return resolve_use_case_path(config, config_dir) if config else _only_use_case(config_dir)


def option_for(tables: Path) -> str:
    """What selects that tables.yaml on a command line; nothing where it is taken without being named."""
    with suppress(FluvialError):
        if select_tables(None).absolute() == tables.absolute():
            return ""
    return f" --config {shlex.quote(os.path.relpath(tables.parent))}"


def select_table(use_case: UseCase, name: str) -> Table:
    """The table of that name; the error of an unknown one lists them all."""
    known = [table.name for table in use_case.tables]
    if name not in known:
        raise FluvialError(f"unknown table {name}", f"{use_case.name} has {', '.join(known)}")
    return use_case.table(name)


def select_home(home: Path | None) -> Home:
    """The given state directory, or the default one."""
    return Home(home.absolute()) if home else default_home()


def _config_dir() -> Path:
    """`config` here if there is one, else that of the checkout around the working directory."""
    here, root = Path("config"), checkout_root()
    return here if here.is_dir() or root is None else root / "config"


def _only_use_case(config_dir: Path) -> Path:
    found = sorted(config_dir.glob("*/tables.yaml"))
    if not found:
        raise FluvialError(f"no use case in {config_dir.absolute()}", "name one with --config path/to/tables.yaml")
    by_name = {path.parent.name: path for path in found}
    if DEFAULT_USE_CASE in by_name:
        return by_name[DEFAULT_USE_CASE]
    if len(found) > 1:
        names = ", ".join(path.parent.name for path in found)
        raise FluvialError(f"{len(found)} use cases in {config_dir}: {names}", "choose one with --config NAME")
    return found[0]
