"""`fluvial init`: the files of a new use case."""

import re
from pathlib import Path
from typing import Annotated, Final

import typer

from fluvial.config.load import check_use_case
from fluvial.config.placeholders import local_placeholders
from fluvial.errors import FluvialError
from fluvial.scaffold.from_profile import tables_from_profiles
from fluvial.scaffold.template import template_files

_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,50}")


def init(
    name: Annotated[str, typer.Argument(help="The use case: small letters, digits and dashes.")],
    from_database: Annotated[
        str | None,
        typer.Option(
            "--from-database",
            envvar="FLUVIAL_SOURCE",
            help="libpq connection string of a PostgreSQL to look at; the password in PGPASSWORD or ~/.pgpass.",
        ),
    ] = None,
    schema: Annotated[str, typer.Option("--schema", help="With --from-database: whose tables.")] = "public",
    tables: Annotated[list[str] | None, typer.Option("--table", help="Only this one; may be given again.")] = None,
    config_dir: Annotated[Path, typer.Option("--config-dir", help="Where use cases lie.")] = Path("config"),
) -> None:
    """Make a use case from a template, or from a running database: its tables, rules and masks that its rows suggest.

    No value of any row is read: only counts are. What was suggested says why, in a comment.
    """
    if not _NAME.fullmatch(name):
        raise FluvialError(f"'{name}' can't name a use case", "small letters, digits and dashes, a letter first")
    folder = config_dir / name
    if folder.exists():
        raise FluvialError(f"{folder} is there already", "choose another name, or remove it")
    files = template_files(name) if from_database is None else _from_database(name, from_database, schema, tables or [])
    folder.mkdir(parents=True)
    for file, text in files.items():
        (folder / file).write_text(text, encoding="utf-8")
        typer.echo(str(folder / file))
    checked = check_use_case(folder / "tables.yaml", local_placeholders())
    number = len(checked.use_case.tables)
    typer.echo(f"{number} {'table' if number == 1 else 'tables'}; next: fluvial validate {folder}")


def _from_database(name: str, dsn: str, schema: str, tables: list[str]) -> dict[str, str]:
    from fluvial.io.source_profile import profile_source  # noqa: PLC0415 - the driver isn't needed for a template

    database, profiles = profile_source(dsn, schema, tables)
    text, kept = tables_from_profiles(name, database, schema, profiles)
    if not kept:
        raise FluvialError("no table can be captured", "each needs a primary key and a plain name")
    return {"tables.yaml": text}
