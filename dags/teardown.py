"""Teardown: stops and drops what deploy made, after the use case's name was typed."""

from fluvial_airflow.kinds import teardown_dag
from fluvial_airflow.use_cases import valid_use_cases

for loaded in valid_use_cases():
    dag = teardown_dag(loaded)
    # Airflow collects the DAGs it finds in module variables.
    globals()[dag.dag_id] = dag
