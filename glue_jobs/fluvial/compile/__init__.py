"""tables.yaml to what it needs elsewhere: source DDL, topics, connector; pure, and free of any connection."""
