"""A fake for tests: tables that can't be written until they are mended."""

from dataclasses import dataclass, field

from pyspark.sql import SparkSession

from fluvial.config.locations import TableLocations
from fluvial.config.model import Table
from fluvial.config.settle import SettlePolicy
from fluvial.errors import StorageError
from fluvial.io.failpoints import Failpoints
from fluvial.io.table_writer import TableWriter


@dataclass
class FailingTables:
    """A MakeTableWriter; `places` says, by table, at which failpoint its writer fails."""

    places: dict[str, str] = field(default_factory=dict)

    def __call__(
        self,
        session: SparkSession,
        table: Table,
        locations: TableLocations,
        failpoints: Failpoints,
        policy: SettlePolicy,
    ) -> TableWriter:
        """A real writer that fails for as long as `places` says so."""
        return TableWriter(session, table, locations, _FailingAt(self, table.name), policy)


@dataclass
class _FailingAt(Failpoints):
    tables: FailingTables
    name: str

    def reach(self, place: str) -> None:
        if self.tables.places.get(self.name) == place:
            raise StorageError(f"no way {place}", "mend it")
