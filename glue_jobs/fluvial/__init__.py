"""Fluvial: change data capture that becomes trustworthy history."""

__version__ = "0.1.0"
