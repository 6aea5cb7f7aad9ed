"""Plans of `fluvial.plan` as Airflow DAGs; parsing them imports no Spark, no boto3 and opens no connection."""
