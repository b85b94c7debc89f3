"""Say when to try again.

In: how often it failed, and what the peer asked for. Out: seconds to wait. No sleeping here.
"""

import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def backoff_s(
    attempt: int,
    *,
    first_s: float = 1.0,
    cap_s: float = 900.0,
    draw: Callable[[], float] = random.random,
) -> float:
    """Return full-jitter exponential backoff: uniform in (0, min(cap, first * 2^(attempt-1))].

    Full jitter spreads a crowd of retries best; never zero, so a failing peer gets some rest.
    """
    ceiling = min(cap_s, first_s * 2.0 ** max(0, min(attempt - 1, 40)))
    return max(0.05 * ceiling, draw() * ceiling)


def retry_after_s(
    headers: Mapping[str, str], *, least_s: float = 1.0, most_s: float = 86_400.0
) -> float | None:
    """Read `Retry-After`, in seconds or as a date; None when absent or neither.

    A date is measured by the answer's own `Date`: the peer's clock may differ from ours. Without
    that it says nothing.
    """
    asked = headers.get("retry-after", "").strip()
    wait_s = float(asked) if asked.isdecimal() else _seconds_between(headers.get("date"), asked)
    return None if wait_s is None else min(most_s, max(least_s, wait_s))


def _seconds_between(start: str | None, end: str) -> float | None:
    first, last = _read_date(start or ""), _read_date(end)
    return None if first is None or last is None else (last - first).total_seconds()


def _read_date(text: str) -> datetime | None:
    """Read one of the three forms of an HTTP date; all mean GMT."""
    try:
        return parsedate_to_datetime(text).replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
