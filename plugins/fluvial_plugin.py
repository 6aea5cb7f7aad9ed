"""Registers Fluvial with Airflow; everything it does is in the package `fluvial_airflow`."""

from airflow.plugins_manager import AirflowPlugin


class FluvialPlugin(AirflowPlugin):
    """Shows up under Admin, Plugins: the folder that DAG files import `fluvial_airflow` from is loaded."""

    name = "fluvial"
