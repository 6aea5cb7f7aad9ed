from pathlib import Path

import pytest

from fluvial.local.home import Home, default_home


@pytest.fixture(autouse=True)
def _no_overrides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLUVIAL_HOME", raising=False)
    monkeypatch.delenv("FLUVIAL_ARTIFACTS", raising=False)


def test_the_environment_names_the_default_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FLUVIAL_HOME", str(tmp_path))
    assert default_home() == Home(tmp_path)


def test_inside_a_checkout_the_default_home_lies_in_its_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for folder in ("config/orders", "glue_jobs/fluvial"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "config" / "orders")
    assert default_home() == Home(tmp_path / ".fluvial")


def test_elsewhere_the_default_home_lies_in_the_working_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert default_home() == Home(tmp_path / ".fluvial")


def test_homes_share_the_artifacts_of_the_default_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FLUVIAL_HOME", str(tmp_path / "default"))
    assert Home(tmp_path / "other").artifacts == tmp_path / "default" / "artifacts"


def test_the_environment_may_put_artifacts_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FLUVIAL_ARTIFACTS", str(tmp_path / "jars"))
    assert Home(tmp_path / "other").artifacts == tmp_path / "jars"
