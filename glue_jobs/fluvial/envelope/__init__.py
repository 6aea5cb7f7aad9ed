"""Kafka records into change events; what can't be read becomes a dead letter with its reason."""
