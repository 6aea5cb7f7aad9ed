"""`seldom`: for what few records need, so that not every batch pays for its code."""

from pyspark.sql import Column
from pyspark.sql import functions as F


def seldom(value: Column) -> Column:
    """The value, of which Spark generates no code: it evaluates what is given to a lambda as it is.

    Each batch writes the code of each level down once more, to find it in Spark's cache. Only below a condition that
    few records of a stream and of a snapshot meet: to be evaluated so takes a few times longer. A condition that is
    NULL counts as met there, because NULL and false is false. Inside the lambda a name could mean an alias that
    stands beside it.
    """
    return F.transform(F.array(value), lambda same: same)[0]
