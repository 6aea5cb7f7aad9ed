"""Generate data: rows for the source database of each use case."""

from fluvial_airflow.kinds import generate_data_dag
from fluvial_airflow.use_cases import valid_use_cases

for loaded in valid_use_cases():
    dag = generate_data_dag(loaded)
    # Airflow collects the DAGs it finds in module variables.
    globals()[dag.dag_id] = dag
