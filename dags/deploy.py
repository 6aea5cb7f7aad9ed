"""Deploy: from tables.yaml to a running, healthy stream; one DAG for each use case."""

from fluvial_airflow.kinds import deploy_dag
from fluvial_airflow.use_cases import valid_use_cases

for loaded in valid_use_cases():
    dag = deploy_dag(loaded)
    # Airflow collects the DAGs it finds in module variables.
    globals()[dag.dag_id] = dag
