"""Commands that are imported only when they run, so that `fluvial --help` and `validate` stay fast."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


@dataclass(frozen=True)
class LazyCommand:
    """A command by name: `target` is `module:attribute`, a function or a `typer.Typer` with sub-commands."""

    target: str
    summary: str

    def load(self) -> typer.Typer:
        """Import the module; a function becomes an app of one command."""
        module, _, attribute = self.target.partition(":")
        loaded = getattr(import_module(module), attribute)
        if isinstance(loaded, typer.Typer):
            return loaded
        app = typer.Typer(add_completion=False)
        app.command()(loaded)
        return app


def lazy_group(commands: Mapping[str, LazyCommand]) -> type[TyperGroup]:
    """The group class that lists `commands` by their summaries and imports the one that is called."""

    class LazyGroup(TyperGroup):
        def __init__(self, **attrs: Any) -> None:
            super().__init__(**attrs)
            self.commands = {name: TyperCommand(name, help=command.summary) for name, command in commands.items()}

        def resolve_command(self, ctx: Any, args: list[str]) -> Any:
            name, found, rest = super().resolve_command(ctx, args)
            if name is not None and name in commands:
                found = typer.main.get_command(commands[name].load())
                found.name = name
            return name, found, rest

    return LazyGroup
