"""Names and texts as SQL writes them, of DuckDB and of PostgreSQL alike. Spark reads a doubled quote otherwise."""


def quote(identifier: str) -> str:
    """A name as a quoted SQL identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as a SQL string literal."""
    return "'" + text.replace("'", "''") + "'"
