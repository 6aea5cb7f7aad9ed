"""Configuration to steps as data: what has to happen, in which order; nothing here knows Airflow or a platform."""
