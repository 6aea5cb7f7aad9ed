"""tables.yaml to what it needs elsewhere: DDL, DMS, connector, topics, stacks, catalog; pure, free of connections."""
