"""tables.yaml as frozen models; nothing here imports Spark, Airflow or boto3."""
