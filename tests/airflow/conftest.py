import atexit
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from fluvial.local.home import default_home

# Airflow reads its settings when it is first imported, so they are made before any test module is.
_HOME = Path(tempfile.mkdtemp(prefix="fluvial-airflow-"))
_CHECKOUT = Path(__file__).resolve().parents[2]
# A home of the tests' own, but the artifacts of the checkout: they are fetched once.
os.environ["FLUVIAL_ARTIFACTS"] = str(default_home().artifacts)
os.environ |= {
    "AIRFLOW_HOME": str(_HOME),
    "AIRFLOW__CORE__DAGS_FOLDER": str(_CHECKOUT / "dags"),
    "AIRFLOW__CORE__PLUGINS_FOLDER": str(_CHECKOUT / "plugins"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    "FLUVIAL_HOME": str(_HOME / "fluvial"),
}
os.environ.pop("FLUVIAL_CONFIG_DIR", None)
os.environ.pop("FLUVIAL_PLATFORM", None)
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)


@pytest.fixture
def checkout() -> Path:
    """The folder that holds dags, plugins and config."""
    return _CHECKOUT


@pytest.fixture
def config_dir(tmp_path: Path, checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration folder of this test's own, with a copy of vehicle-telemetry in it."""
    folder = tmp_path / "config"
    shutil.copytree(checkout / "config" / "vehicle-telemetry", folder / "vehicle-telemetry")
    monkeypatch.setenv("FLUVIAL_CONFIG_DIR", str(folder))
    return folder
