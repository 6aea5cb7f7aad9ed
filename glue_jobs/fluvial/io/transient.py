"""Failures that go away by themselves: another writer's commit came first."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

from delta.exceptions import (
    ConcurrentAppendException,
    ConcurrentDeleteDeleteException,
    ConcurrentDeleteReadException,
    ConcurrentTransactionException,
    ConcurrentWriteException,
    DeltaConcurrentModificationException,
    MetadataChangedException,
    ProtocolChangedException,
)
from deltalake.exceptions import CommitFailedError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

_TRIES: Final = 4
_LONGEST_PAUSE_SECONDS: Final = 5.0
# PySpark's side of Delta keeps them apart, though in Delta they are all DeltaConcurrentModificationException.
_TRANSIENT: Final = (
    ConcurrentAppendException,
    ConcurrentDeleteDeleteException,
    ConcurrentDeleteReadException,
    ConcurrentTransactionException,
    ConcurrentWriteException,
    DeltaConcurrentModificationException,
    MetadataChangedException,
    ProtocolChangedException,
    CommitFailedError,
)
Result = TypeVar("Result")


def retry_transient(work: Callable[[], Result], sleep: Callable[[float], None] = time.sleep) -> Result:
    """What `work` returns; after a conflict it is done again, a few times, with random pauses between."""
    retrying = Retrying(
        retry=retry_if_exception_type(_TRANSIENT),
        stop=stop_after_attempt(_TRIES),
        wait=wait_random_exponential(0.2, _LONGEST_PAUSE_SECONDS),
        sleep=sleep,
        reraise=True,
    )
    return retrying(work)
