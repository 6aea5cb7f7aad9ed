"""Entry point of the streaming job: `--config TABLES_YAML --home DIR` on the local profile."""

import argparse
import os
import signal
from pathlib import Path

from fluvial.config.load import load_use_case
from fluvial.config.locations import Locations
from fluvial.config.model import UseCase
from fluvial.config.placeholders import local_placeholders
from fluvial.io.logging import configure_logging
from fluvial.io.session import build_session
from fluvial.io.stream import LakeStream
from fluvial.local.artifacts import spark_jars
from fluvial.local.endpoints import read_endpoints
from fluvial.local.home import Home
from fluvial.local.secrets import provide_secrets
from fluvial.local.streaming import sole_driver
from fluvial.local.streaming_state import StateReporter
from fluvial.local.topic_offsets import TopicOffsets


def main() -> None:
    """Streams until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="a tables.yaml")
    parser.add_argument("--home", type=Path, required=True, help="state directory of the local profile")
    arguments = parser.parse_args()
    configure_logging()
    home = Home(arguments.home)
    servers = read_endpoints(home).bootstrap_servers
    use_case = load_use_case(arguments.config, local_placeholders(servers))
    provide_secrets(use_case, home)
    with sole_driver(use_case, home):
        _stream(use_case, home, servers)


def _stream(use_case: UseCase, home: Home, servers: str) -> None:
    reporter = StateReporter(home, use_case)
    session = build_session(f"fluvial-{use_case.name}", spark_jars(home))
    kafka, ask = {"kafka.bootstrap.servers": servers}, TopicOffsets(servers)
    stream = LakeStream(session, use_case, Locations(use_case, home.lake), kafka, ask, reporter)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stream.stop())
    if not stream.run():
        os._exit(0)  # a batch that would not end in time: its threads would keep the process alive
    session.stop()


if __name__ == "__main__":
    main()
