"""The command line as a user meets it: output, errors, exit statuses."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from fluvial.cli.app import COMMANDS, app

runner = CliRunner()


def fluvial(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fluvial.cli.app", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=cwd)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_exists_and_explains_itself(name: str) -> None:
    result = runner.invoke(app, [name, "--help"])

    assert result.exit_code == 0
    assert "Usage" in result.output


@pytest.mark.parametrize("name", COMMANDS)
def test_help_lists_every_command(name: str) -> None:
    assert f" {name} " in runner.invoke(app, ["--help"]).output


def test_an_unknown_command_names_the_nearest_one_and_ends_with_status_2() -> None:
    finished = fluvial("validat")

    assert finished.returncode == 2
    assert "Did you mean 'validate'?" in finished.stderr


def test_an_error_is_one_message_on_stderr_without_a_traceback(tmp_path: Path) -> None:
    finished = fluvial("validate", cwd=tmp_path)

    assert (finished.returncode, finished.stdout) == (2, "")
    assert finished.stderr == (
        f"error: no use case in {tmp_path}/config\n  -> give the path of a tables.yaml\n"
    )  # fmt: skip


def test_help_imports_no_command() -> None:
    code = (
        "import sys\nfrom fluvial.cli.app import app\n"
        "try:\n    app(['--help'])\nexcept SystemExit:\n    pass\n"
        "sys.exit(any(name in sys.modules for name in ('fluvial.cli.query', 'fluvial.cli.validate')))"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0


def test_every_registered_target_is_a_function_or_an_app() -> None:
    for command in COMMANDS.values():
        module, _, attribute = command.target.partition(":")
        target = getattr(import_module(module), attribute)
        assert callable(target) or isinstance(target, typer.Typer)
