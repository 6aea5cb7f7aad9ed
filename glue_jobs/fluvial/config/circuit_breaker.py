"""When so much of a table's micro-batch is bad that none of it should be written."""

from typing import Annotated

from pydantic import Field

from fluvial.config.base import Model


class CircuitBreaker(Model):
    """Stops a table instead of quarantining most of what comes; its records wait in Kafka, the other tables go on."""

    share: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False, examples=[0.5])]
    """The share of a micro-batch's change events, 0 to 1, from which on bad ones stop the table.

    Bad is what would go to the quarantine or to the dead letters.
    """

    records: Annotated[int, Field(gt=0)] = 100
    """Fewer bad records than this in a micro-batch never stop it, however large their share."""

    def opens(self, bad: int, events: int) -> bool:
        """Whether so many bad ones, of so many that should be change events, are too many."""
        return bad >= self.records and bad >= self.share * events
