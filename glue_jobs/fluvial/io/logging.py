"""Where the job's own log lines go, set once by an entry point: stderr, so that stdout stays for results."""

import logging
import sys

import structlog


def configure_logging(level: str = "info") -> None:
    """Lines with time, level, event and its fields; nothing below `level`."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        # Looked up at each line: whoever redirects stderr for a while must not be left with a closed file.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
