"""Makes every broken tables.yaml an import error of its own, because a file that raises loses all of its DAGs."""

from fluvial_airflow.use_cases import broken_use_cases

if (error := broken_use_cases()) is not None:
    raise error
