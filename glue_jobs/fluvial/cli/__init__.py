"""The `fluvial` command line: thin; the work is in the packages below."""
