"""Rules: every violation of a row together, and the split into valid and quarantined."""
