"""`fluvial down`: stop the local profile."""

from fluvial.cli.display import shown_progress
from fluvial.cli.selection import HomeOption, select_home
from fluvial.local import stack


def down(home: HomeOption = None) -> None:
    """Stop streaming jobs, Airflow, Kafka Connect, Kafka and PostgreSQL; data, lake and jars stay."""
    with shown_progress() as show:
        stopped = stack.down(select_home(home), show)
    print("stopped " + ", ".join(stopped) if stopped else "nothing was running")
