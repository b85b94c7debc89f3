"""Read clients' times and correct them for clients' clocks.

In: text as clients write it. Out: aware UTC times. One formula:
`timestamp = receivedAt - (sentAt - originalTimestamp)`. Pure.
"""

from datetime import UTC, datetime
from typing import Any

import msgspec


class Times(msgspec.Struct, frozen=True):
    """The times of one message."""

    original: datetime
    timestamp: datetime


def read_time(value: Any) -> datetime | None:
    """Return a time in UTC, None for what cannot be read; a time without a zone is UTC."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value.strip())
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def correct(client_time: Any, sent_at: datetime | None, received_at: datetime) -> Times:
    """Work out when it happened, by our clock.

    Only the skew is added, so that imports of old messages keep their times. Without `sentAt` no
    correction is possible; what cannot be read or be counted happened on arrival.
    """
    original = sent_at or received_at if client_time is None else read_time(client_time)
    if original is None:  # our own clock needs no correction by theirs
        return Times(received_at, received_at)
    if sent_at is None:
        return Times(original, original)
    try:
        return Times(original, received_at - (sent_at - original))
    except OverflowError:
        return Times(original, received_at)
