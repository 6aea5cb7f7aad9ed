"""Rebuilding by hand: a whole history derived from its log while no stream writes."""

from pyspark.sql import SparkSession

from fluvial import columns as c
from fluvial.config.locations import Locations
from fluvial.config.model import Table
from fluvial.errors import StorageError
from fluvial.history.range_bounds import RangeBounds
from fluvial.history.settle import count_actions
from fluvial.io import delta
from fluvial.io.commits import Settled
from fluvial.io.history_layout import in_order
from fluvial.io.log_bounds import read_traits
from fluvial.io.log_reader import as_log_rows
from fluvial.io.observed import Aggregates
from fluvial.io.prepared_settle import PreparedSettle
from fluvial.io.schemas import empty_frame, history_schema
from fluvial.streams import ACTION, History, HistoryChanges, LogRows


def rebuild_table(parent: SparkSession, table: Table, locations: Locations) -> int:
    """Derives the whole history from the log, whoever changed either, and replaces it in one commit.

    Returns how many versions it has then. Works in a session of its own, because a commit's note is a session setting.
    """
    session, places = parent.newSession(), locations.table(table)
    log = delta.snapshot(session, places.log)
    if log is None:
        raise StorageError(f"{table.name}: no log at {places.log}", "there is nothing to derive from")
    rows = as_log_rows(delta.read_version(session, places.log, log.version), table.lake)
    held, actions = delta.checkpoint_counted(_versions(session, table.lake, rows), Aggregates(count_actions()))
    note = Settled(log.table_id, log.version, is_rebuilt=True).note
    versions, properties = in_order(held.drop(ACTION)), delta.history_properties(table.lake)
    delta.replace_rows(versions, places.history, (c.IS_CURRENT,), properties, note)
    return sum(actions.values())


def _versions(session: SparkSession, table: Table, rows: LogRows) -> HistoryChanges:
    """Of the log alone: all of its rows are new to a history that holds nothing."""
    traits = read_traits(rows)
    bounds = RangeBounds("", 0, None, traits.keyless, traits.has_partial, touches_many=True)
    nothing = History(empty_frame(session, history_schema(table)))
    return PreparedSettle(session, table).changes_of_new(rows, nothing, bounds)
