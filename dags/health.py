"""Health: one look at every part of each use case's stream, every five minutes once unpaused."""

from fluvial_airflow.kinds import health_dag
from fluvial_airflow.use_cases import valid_use_cases

for loaded in valid_use_cases():
    dag = health_dag(loaded)
    # Airflow collects the DAGs it finds in module variables.
    globals()[dag.dag_id] = dag
