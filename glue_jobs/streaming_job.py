"""Entry point of the streaming job: `--config TABLES_YAML --home DIR` on the local profile."""

import argparse
import os
import signal
from pathlib import Path

from fluvial.config.load import load_use_case
from fluvial.config.locations import Locations
from fluvial.config.placeholders import local_placeholders
from fluvial.io.logging import configure_logging
from fluvial.io.session import build_session
from fluvial.io.stream import LakeStream
from fluvial.local.artifacts import spark_jars
from fluvial.local.endpoints import read_endpoints
from fluvial.local.home import Home
from fluvial.local.streaming import StateReporter


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
    reporter = StateReporter(home, use_case.name)
    reporter("starting", None, "")
    session = build_session(f"fluvial-{use_case.name}", spark_jars(home))
    kafka = {"kafka.bootstrap.servers": servers}
    stream = LakeStream(session, use_case, Locations(use_case, home.lake), kafka, reporter)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stream.stop())
    if not stream.run():
        os._exit(0)  # a batch that would not end in time: its threads would keep the process alive
    session.stop()


if __name__ == "__main__":
    main()
