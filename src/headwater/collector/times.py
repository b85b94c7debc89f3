"""Read the times that clients write.

In: ISO 8601 with or without zone, 0 to 9 fraction digits, or numbers since 1970. Out: aware UTC, or
None when it cannot be read or lies outside what the store's clock can hold. Pure.
"""

import re
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_END = datetime(2106, 1, 1, tzinfo=UTC)
"""The store counts the slots of a day in 32 bits of seconds."""

_LEAP_SECOND = re.compile(r":60(?=[.,Z+-]|$)")
_MIDNIGHT = re.compile(r"[T ]24:00(?::00(?:[.,]0+)?)?")
_SECONDS_BELOW = 10**11
_UNITS = ((_SECONDS_BELOW, 1.0), (10**14, 1e3), (10**17, 1e6), (10**20, 1e9))
_SHORTEST_NUMBER = 9


def read_time(value: str | float | None) -> datetime | None:
    """Return the moment meant, or None."""
    if value is None:
        return None
    at = _from_usual_text(value) if isinstance(value, str) else _from_number(value)
    return at if at is not None and EPOCH <= at < _END else None


def _from_usual_text(text: str) -> datetime | None:
    # What nearly all clients write, with or without its Z.
    if text[4:5] == "-":
        try:
            return datetime.fromisoformat(text if text[-1] == "Z" else f"{text}Z")
        except (ValueError, OverflowError):
            pass
    text = text.strip()
    is_number = len(text) >= _SHORTEST_NUMBER and text.isdecimal()
    return _from_number(int(text[:20])) if is_number else _from_text(text)


def _from_text(text: str) -> datetime | None:
    try:
        return _in_utc(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return _from_odd_text(text)


def _from_odd_text(text: str) -> datetime | None:
    # Leap seconds and the end of a day are legal ISO 8601 that Python refuses.
    plain, midnights = _MIDNIGHT.subn("T00:00", _LEAP_SECOND.sub(":59", text))
    try:
        return _in_utc(datetime.fromisoformat(plain)) + timedelta(days=midnights)
    except (ValueError, OverflowError):
        return None


def _in_utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _from_number(number: float) -> datetime | None:
    """Seconds, milli-, micro- or nanoseconds since 1970, told apart by their size."""
    for below, per_second in _UNITS:
        if 0 <= number < below:
            return EPOCH + timedelta(seconds=number / per_second)
    return None
