"""Cut time into days of the app's zone.

In: a zone and a day or a moment. Out: aware UTC instants. Days are as long as the
zone makes them: 23, 24 or 25 hours, or something odder.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

_WEEK_DAYS = 7
DAYS_LOOKED_BACK = 28
_INSTANT = timedelta(microseconds=1)


class History(msgspec.Struct, frozen=True, kw_only=True):
    """The past that a rollup compares its window with."""

    first: datetime
    """Nothing before this matters."""
    week: datetime
    """Start of the 7 days that end with the window."""
    week_before: datetime
    """Start of the 7 days before those."""
    days: tuple[datetime, ...]
    """Starts of the 28 local days that end with the window's last day."""
    last_quarter: datetime
    """The quarter of an hour in which the window ends begins here; the end itself on a quarter."""


def last_complete_day(now: datetime, timezone: str) -> str:
    """Return the day before today, as `2026-11-22`."""
    return (_local_day(now, timezone) - timedelta(days=1)).isoformat()


def day_window(timezone: str, day: str) -> tuple[datetime, datetime]:
    """Return the instants at which a local day begins and ends."""
    the_day = date.fromisoformat(day)
    return _begin(the_day, timezone), _begin(the_day + timedelta(days=1), timezone)


def history(timezone: str, end: datetime, *, whole_days: bool) -> History:
    """Return the past of a window that ends at `end`.

    The weeks of a window of whole days are local days; those of a rolling one are 168 hours and
    begin on a quarter of an hour, which is what counters know.
    """
    last = _local_day(end - _INSTANT, timezone)
    days = tuple(
        _begin(last - timedelta(days=back), timezone) for back in reversed(range(DAYS_LOOKED_BACK))
    )
    if whole_days:
        week, week_before = days[-_WEEK_DAYS], days[-2 * _WEEK_DAYS]
    else:
        week = _begin_quarter(end - timedelta(days=_WEEK_DAYS))
        week_before = _begin_quarter(end - timedelta(days=2 * _WEEK_DAYS))
    return History(
        first=min(days[0], week_before),
        week=week,
        week_before=week_before,
        days=days,
        last_quarter=_begin_quarter(end),
    )


def _local_day(at: datetime, timezone: str) -> date:
    return at.astimezone(ZoneInfo(timezone)).date()


def _begin(day: date, timezone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(timezone)).astimezone(UTC)


def _begin_quarter(at: datetime) -> datetime:
    return at.replace(minute=at.minute - at.minute % 15, second=0, microsecond=0)
