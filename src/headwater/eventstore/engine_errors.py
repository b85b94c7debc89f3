"""Tell the engine's temporary troubles from bugs.

In: an exception of the client library. Out: `UnavailableError` for what passes by itself or when an
operator makes room, `TooLargeError` for a question that asks for too much. Anything else is a bug
of ours and passes unchanged.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

from headwater.base.errors import InvalidInputError, TooLargeError, UnavailableError

_TRANSIENT = frozenset(
    {
        3,  # UNEXPECTED_END_OF_FILE: the connection broke
        74,  # CANNOT_READ_FROM_FILE_DESCRIPTOR
        75,  # CANNOT_WRITE_TO_FILE_DESCRIPTOR: disk full
        76,  # CANNOT_OPEN_FILE
        173,  # CANNOT_ALLOCATE_MEMORY
        198,  # DNS_ERROR
        202,  # TOO_MANY_SIMULTANEOUS_QUERIES
        209,  # SOCKET_TIMEOUT
        210,  # NETWORK_ERROR
        225,  # NO_ZOOKEEPER
        241,  # MEMORY_LIMIT_EXCEEDED
        242,  # TABLE_IS_READ_ONLY: a replica starts or lost its keeper
        243,  # NOT_ENOUGH_SPACE
        252,  # TOO_MANY_PARTS
        285,  # TOO_FEW_LIVE_REPLICAS
        286,  # UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE
        319,  # UNKNOWN_STATUS_OF_INSERT: the token makes the retry safe
        394,  # QUERY_WAS_CANCELLED
        425,  # SYSTEM_ERROR
        999,  # KEEPER_EXCEPTION
    }
)
_BAD_PATTERN = 427
_TOO_SLOW = 159
_TOO_MUCH = frozenset({158, 307, 396})  # rows read, bytes read, rows answered
_SHOWN_CHARS = 300


@contextmanager
def engine_errors() -> Iterator[None]:
    """Translate what the block raises."""
    try:
        yield
    except DatabaseError as err:
        what = str(err)[:_SHOWN_CHARS]
        if err.code == _TOO_SLOW:
            raise UnavailableError(
                "The event store did not answer in time.", hint="Ask for a shorter time range."
            ) from err
        if err.code == _BAD_PATTERN:
            raise InvalidInputError(
                "That is not a regular expression.", hint="Patterns are those of RE2."
            ) from err
        if err.code in _TOO_MUCH:
            raise TooLargeError(
                "The question reads or answers too many rows.", hint="Ask for a shorter time range."
            ) from err
        if err.code in _TRANSIENT or (err.code is None and isinstance(err, OperationalError)):
            raise UnavailableError(f"The event store cannot be used now: {what}") from err
        raise
