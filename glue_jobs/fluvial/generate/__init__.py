"""Invented life for a source: scenario.yaml and a seed become transactions; nothing here touches a database."""
