"""Where the parts of a running stack answer."""

import json
from dataclasses import asdict, dataclass

from fluvial.errors import StackError
from fluvial.local.home import Home
from fluvial.local.state_files import accessing, write_state


@dataclass(frozen=True)
class Endpoints:
    """Ports on 127.0.0.1, and the password of PostgreSQL's superuser `postgres`."""

    postgres_port: int
    kafka_port: int
    connect_port: int
    postgres_password: str
    controller_port: int = 0

    @property
    def bootstrap_servers(self) -> str:
        """Kafka's bootstrap.servers."""
        return f"127.0.0.1:{self.kafka_port}"

    @property
    def connect_url(self) -> str:
        """Base URL of Kafka Connect's REST API, without a slash at the end."""
        return f"http://127.0.0.1:{self.connect_port}"

    def postgres_dsn(self, database: str = "postgres") -> str:
        """A libpq connection URI as the superuser."""
        return f"postgresql://postgres:{self.postgres_password}@127.0.0.1:{self.postgres_port}/{database}"


def read_endpoints(home: Home) -> Endpoints:
    """The endpoints of the stack that was last started in this home."""
    path = home.run / "endpoints.json"
    try:
        with accessing(home.run):
            found = json.loads(path.read_text(encoding="utf-8"))
        return Endpoints(**found)
    except FileNotFoundError as error:
        raise StackError(f"no stack was ever started in {home.root}", "start it with `fluvial up`") from error
    except (ValueError, TypeError) as error:
        raise StackError(f"{path} is unreadable", "delete that file and run `fluvial up`") from error


def write_endpoints(home: Home, endpoints: Endpoints) -> None:
    """Remember the endpoints; the file holds a password and is readable by its owner only."""
    write_state(home.run / "endpoints.json", json.dumps(asdict(endpoints), indent=2) + "\n")
