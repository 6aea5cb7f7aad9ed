"""Parses every DAG file in this process and prints what that took and gave; run as a script by the tests."""

import json
import sys
import time
from pathlib import Path

from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization

HEAVY = (
    "pyspark",
    "delta",
    "boto3",
    "botocore",
    "psycopg",
    "confluent_kafka",
    "deltalake",
    "duckdb",
    "pandas",
    "pyarrow",
)


def main(dags_folder: Path) -> dict[str, object]:
    connections: list[str] = []
    sys.addaudithook(lambda event, args: connections.append(str(args[1])) if event == "socket.connect" else None)
    bag = DagBag(str(dags_folder), collect_dags=False)
    seconds: dict[str, float] = {}
    for path in sorted(dags_folder.glob("*.py")):
        before = time.process_time()
        bag.process_file(str(path))
        seconds[path.name] = time.process_time() - before
    return {
        "seconds": seconds,
        "heavy": [name for name in HEAVY if name in sys.modules],
        "connections": connections,
        "import_errors": bag.import_errors,
        "dags": {dag_id: DagSerialization.to_dict(dag) for dag_id, dag in bag.dags.items()},
    }


if __name__ == "__main__":
    sys.stdout.write("RESULT " + json.dumps(main(Path(sys.argv[1])), default=str))
