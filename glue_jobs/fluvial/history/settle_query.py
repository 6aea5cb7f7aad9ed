"""`settle_versions` as DuckDB queries, for ranges that are settled on the driver: a few rows take Spark a second.

The first one finds the touched keys, the second one what changes of them, the third one what goes into new files: as
`settle.py` and `versions.py` do it, which say why, and as Spark writes it. `settle_templates` says over what relations.
"""

from collections.abc import Iterable
from typing import Final

from fluvial import columns as c
from fluvial.config.model import Table
from fluvial.history.range_bounds import Keyless, RangeBounds
from fluvial.history.settle_templates import (
    CHANGES_QUERY,
    EACH_TOUCHED,
    FIRST,
    KEYS_OF_ALL,
    KEYS_OF_RANGE,
    KEYS_OF_RUNS,
    LOOKED_UP,
    NEWEST,
    RESOLVED,
    REWRITTEN_QUERY,
)
from fluvial.sql_text import literal, quote
from fluvial.streams import ACTION


def touched_sql(table: Table, bounds: RangeBounds) -> str:
    """The primary keys that a range touches, each with FIRST, from where on its versions may change, and a floor.

    With `track_columns` FIRST lies where a run of events begins, and the effective time has a floor.
    """
    key, is_near = _key(table), _reaches(bounds.min_sequence)
    keys = KEYS_OF_RANGE.format(key=key) if bounds.keyless is None else _of_all(key, is_near, bounds.keyless)
    keys = f"SELECT * FROM ({keys}) WHERE {FIRST} IS NOT NULL"
    if table.track_columns:
        v_key = _list(f"v.{quote(name)}" for name in table.primary_key)
        runs = KEYS_OF_RUNS.format(key=key, v_key=v_key, is_near=_reaches(bounds.min_sequence, "v."))
        keys = f"WITH keys AS ({keys}) {runs}"
    return f"SELECT *, row_number() OVER () AS __key FROM ({keys})"


def changes_sql(table: Table, bounds: RangeBounds, *, may_repeat: bool) -> str:
    """What changes of the touched keys: rows of the history with ACTION, and the FILE of what one replaces.

    `may_repeat` is false where no snapshot's row is among the events: without `track_columns` only that can.
    """
    tracks, inherits = bool(table.track_columns), bounds.log_has_partial and bool(table.value_columns)
    compares = may_repeat or tracks
    carries = compares or inherits
    return CHANGES_QUERY.format(
        key=_key(table),
        t_key=_list(f"t.{quote(name)}" for name in table.primary_key),
        min_sequence=literal(bounds.min_sequence),
        min_commit_micros=bounds.min_commit_micros,
        **(_carried(table) if carries else _NOT_CARRIED | {"values": _values(table)}),
        keyless=EACH_TOUCHED.format(of_event=_of_keyless(table) if carries else "") if bounds.has_near_keyless else "",
        resolved=_resolved(table) if inherits else "",
        upserts="resolved" if inherits else "winners",
        repeats=_repeats(table) if compares else "false",
        newest=_newest(table) if tracks else "",
        shown="newest" if tracks else "runs",
        told=_list(map(_told, history_names(table))),
        differs=" OR ".join(f"d.{name} IS DISTINCT FROM e.{name}" for name in map(quote, _compared(table))),
    )


def rewritten_sql(table: Table, names: Iterable[str]) -> str:
    """What goes into the new files of a history with such columns: in order, versions that are open first.

    The rows of the old files as they are, or as CHANGES say; what these don't tell stays. And what is inserted.
    """
    told, names = {name.lower() for name in history_names(table)}, list(names)
    known = {name: name.lower() in told for name in names}
    return REWRITTEN_QUERY.format(
        kept=_list(_shown(name) if is_told else f"o.{quote(name)}" for name, is_told in known.items()),
        inserted=_list(f"n.{quote(name)}" if is_told else "NULL" for name, is_told in known.items()),
        same=_same(table, "o", "n"),
    )


def history_names(table: Table) -> tuple[str, ...]:
    """The columns that a change tells: whether a version is current follows from its end."""
    times = (c.EFFECTIVE_FROM, c.EFFECTIVE_TO, c.END_SEQUENCE)
    return (*table.column_names, c.SEQUENCE, c.OPERATION, *times, c.UNCERTAIN_SINCE, c.UNRESOLVED, c.INGESTED_AT)


def _compared(table: Table) -> list[str]:
    identity = (*table.primary_key, c.SEQUENCE, c.INGESTED_AT)
    return [name for name in history_names(table) if name not in identity]


def _of_all(key: str, is_near: str, keyless: Keyless) -> str:
    return KEYS_OF_ALL.format(
        key=key, is_near=is_near, sequence=literal(keyless.sequence), micros=keyless.commit_micros
    )


def _reaches(sequence: str, of: str = "") -> str:
    return f"({of}{c.END_SEQUENCE} IS NULL OR {of}{c.END_SEQUENCE} >= {literal(sequence)})"


_NOT_CARRIED: Final = {"of_event": "", "of_base": "", "looked_up": LOOKED_UP}


def _carried(table: Table) -> dict[str, str]:
    """Parts of the query where each event carries its values, and what is known of them, from the beginning."""
    names = _each(map(quote, table.value_columns))
    values = (*table.value_columns, c.UNRESOLVED)
    return {
        "of_event": f"{names}, {c.NOT_AUTHORED}, NULL::VARCHAR[] AS {c.UNRESOLVED}",
        "of_base": f"{names}, NULL, {c.UNRESOLVED}",
        "looked_up": "",
        "values": _list(f"o.{quote(name)}" for name in values),
    }


def _of_keyless(table: Table) -> str:
    return f"{_each('NULL' for _ in table.value_columns)}, NULL, NULL"


def _values(table: Table) -> str:
    """Of the row that opened the version, looked up in the end."""
    names = map(quote, table.value_columns)
    values = (f"CASE WHEN o.__is_base THEN b.{name} ELSE l.{name} END AS {name}" for name in names)
    return _list((*values, f"b.{c.UNRESOLVED}"))


def _resolved(table: Table) -> str:
    """Columns that an event doesn't author take the last authored value of the same life."""
    names = table.value_columns
    return RESOLVED.format(
        stated=_list(map(_stated, names)),
        values=_list(f"{_last(name)}.v AS {quote(name)}" for name in names),
        unresolved=_unresolved(names),
    )


def _stated(name: str) -> str:
    was_unresolved = f"coalesce(list_contains({c.UNRESOLVED}, {literal(name)}), false)"
    authors = f"__is_upsert AND NOT coalesce(list_contains({c.NOT_AUTHORED}, {literal(name)}), false)"
    stated = f"CASE WHEN {authors} THEN struct_pack(v := {quote(name)}, u := {was_unresolved}) END"
    return f"last_value({stated} IGNORE NULLS) OVER so_far AS {_last(name)}"


def _unresolved(names: Iterable[str]) -> str:
    """NULL where every one is known."""
    listed = _list(f"CASE WHEN coalesce({_last(name)}.u, true) THEN {literal(name)} END" for name in names)
    found = f"list_filter([{listed}]::VARCHAR[], lambda name: name IS NOT NULL)"
    return f"CASE WHEN len({found}) > 0 THEN {found} END"


def _repeats(table: Table) -> str:
    """Whether an upsert shows what the upsert right before it does."""
    shown = f"row({_list(map(quote, table.track_columns or (*table.value_columns, c.UNRESOLVED)))})"
    before = f"lag(CASE WHEN __is_upsert AND NOT __ends_life THEN {shown} END) OVER in_order"
    may = "true" if table.track_columns else f"{c.OPERATION} = '{c.READ}'"
    return f"({may} AND {before} IS NOT DISTINCT FROM {shown})"


def _newest(table: Table) -> str:
    """Of an opener the newest values that the upserts of its run show in untracked columns."""
    names = [name for name in table.value_columns if name not in table.track_columns]
    shown = [*names, c.UNRESOLVED]
    fields = {name: f"f{number}" for number, name in enumerate(shown)}
    return NEWEST.format(
        packed=_list(f"{field} := {quote(name)}" for name, field in fields.items()),
        newest=_list(f"__newest.{field} AS {quote(name)}" for name, field in fields.items()),
    )


def _told(name: str) -> str:
    quoted = quote(name)
    return f"CASE WHEN d.{c.SEQUENCE} IS NULL THEN e.{quoted} ELSE d.{quoted} END AS {quoted}"


def _shown(name: str) -> str:
    quoted = quote(name)
    return f"CASE WHEN n.{ACTION} IS NULL THEN o.{quoted} ELSE n.{quoted} END AS {quoted}"


def _same(table: Table, one: str, other: str) -> str:
    """The same version."""
    return " AND ".join(f"{one}.{name} = {other}.{name}" for name in map(quote, (*table.primary_key, c.SEQUENCE)))


def _key(table: Table) -> str:
    return _list(map(quote, table.primary_key))


def _last(name: str) -> str:
    return quote(f"__last_{name}")


def _each(parts: Iterable[str]) -> str:
    """Behind other columns."""
    return "".join(f", {part}" for part in parts)


def _list(parts: Iterable[str]) -> str:
    return ", ".join(parts)
