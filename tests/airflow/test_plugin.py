import sys
from importlib import import_module

from airflow import plugins_manager


def test_the_plugin_is_loaded_without_error() -> None:
    plugins, errors = plugins_manager._get_plugins()
    assert "fluvial" in [plugin.name for plugin in plugins]
    assert errors == {}


def test_no_module_of_the_package_is_loaded_under_its_bare_name() -> None:
    plugins_manager._get_plugins()
    package = import_module("fluvial_airflow")
    assert package.__file__ is not None
    assert [name for name in ("render", "kinds", "platforms", "operators", "local_step") if name in sys.modules] == []
