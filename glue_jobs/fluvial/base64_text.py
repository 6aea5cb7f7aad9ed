"""`base64_text`: bytes as one line of text."""

from pyspark.sql import Column
from pyspark.sql import functions as F


def base64_text(data: Column) -> Column:
    """Bytes as base64 without line breaks, with which Spark writes long ones; NULL of NULL."""
    return F.regexp_replace(F.base64(data), r"\s", "")
