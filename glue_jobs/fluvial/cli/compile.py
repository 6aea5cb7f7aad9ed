"""`fluvial compile`: what a tables.yaml becomes elsewhere."""

import difflib
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from fluvial.cli.selection import ConfigOption, UseCaseArgument, select_use_case
from fluvial.compile.artifacts import Artifact, compile_artifacts
from fluvial.config.placeholders import deployment_placeholders
from fluvial.errors import FluvialError

_BLOCKED = "choose another folder with --out, or make this one writable"


def compile_use_case(
    use_case: UseCaseArgument = None,
    config: ConfigOption = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write every artifact below this folder.")] = None,
    artifact: Annotated[str | None, typer.Option("--artifact", help="Only this one; print it without --out.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, artifacts by name.")] = False,
) -> None:
    """Show or write DMS documents, connector, source DDL, topics, ACLs, stack parameters and Athena DDL.

    Placeholders such as ${STACK_NAME} are taken from the environment and stay as they are where it has none.
    """
    selected = select_use_case(use_case or config, placeholders=deployment_placeholders())
    found = _chosen(compile_artifacts(selected), artifact)
    if out is not None:
        _write(found, out)
    if as_json:
        sys.stdout.write(json.dumps({each.name: each.value for each in found}, indent=2, ensure_ascii=False) + "\n")
    elif artifact is not None and out is None:
        sys.stdout.write(found[0].text)
    else:
        _list(found, out)


def _chosen(artifacts: tuple[Artifact, ...], name: str | None) -> tuple[Artifact, ...]:
    if name is None:
        return artifacts
    names = [artifact.name for artifact in artifacts]
    if name not in names:
        near = difflib.get_close_matches(name, names, 1, 0.4)
        suggestion = f"did you mean {near[0]}? " if near else ""
        raise FluvialError(f"no artifact {name}", f"{suggestion}there are {', '.join(names)}")
    return (artifacts[names.index(name)],)


def _write(artifacts: tuple[Artifact, ...], folder: Path) -> None:
    """Files that are right already keep their time, so that a build tool sees no change."""
    for artifact in artifacts:
        path = folder / artifact.name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.is_file() or path.read_text(encoding="utf-8") != artifact.text:
                path.write_text(artifact.text, encoding="utf-8")
        except OSError as error:
            raise FluvialError(f"can't write {path}: {error.strerror}", _BLOCKED) from error


def _list(artifacts: tuple[Artifact, ...], out: Path | None) -> None:
    width = max(len(artifact.name) for artifact in artifacts)
    for artifact in artifacts:
        place = str(out / artifact.name) if out else f"{artifact.name:<{width}}  {artifact.summary}"
        print(place)
    if out is None:
        print("--artifact NAME prints one, --out DIR writes them all", file=sys.stderr)
