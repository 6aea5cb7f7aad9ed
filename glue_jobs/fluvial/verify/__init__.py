"""History re-derived from the log in SQL, by an implementation that shares nothing with the streaming job's."""
