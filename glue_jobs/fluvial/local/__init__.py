"""The laptop profile: PostgreSQL, Kafka, Debezium and the jobs, without Docker and without an account."""
