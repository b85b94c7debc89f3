"""Tell the time, so that tests can set it.

In: nothing. Out: aware UTC datetimes for facts, monotonic seconds for durations. No other module
asks the operating system for the time.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

import msgspec

_END_OF_SECONDS = len('"2026-11-23T10:00:00')


class Clock(Protocol):
    """What every room needs to know about time."""

    def now(self) -> datetime:
        """Return the present, aware, in UTC."""
        ...

    def monotonic_s(self) -> float:
        """Return seconds that never run backwards."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 - the one place that asks

    def monotonic_s(self) -> float:
        return time.monotonic()


class SetClock:
    """A clock that stands still until it is moved; for tests and for the demo's history."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def monotonic_s(self) -> float:
        return self.at.timestamp()

    def move(self, by: timedelta) -> None:
        self.at += by


def to_wire_time(at: datetime) -> str:
    """Write a time as ISO 8601, UTC, milliseconds, `Z`: the form of both houses' wires."""
    utc = at if at.tzinfo is UTC else at.astimezone(UTC)
    # Six of these are in each message of a sync, and `isoformat` takes three times as long.
    to_the_second = msgspec.json.encode(utc)[1:_END_OF_SECONDS].decode()
    return f"{to_the_second}.{utc.microsecond // 1000:03}Z"
