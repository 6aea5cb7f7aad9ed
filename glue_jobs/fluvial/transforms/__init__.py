"""Configured column changes, folded over a row in their order."""
