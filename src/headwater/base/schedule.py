"""Say when something that repeats runs next.

In: a schedule as people write it, a time zone, the last run. Out: the moment of the next run.
Pure. A schedule is one of `every 5 minutes`, `hourly` (on the hour), `daily 03:00` (local
time) and `live` (within seconds of a change).
"""

import re
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from headwater.base.errors import InvalidInputError

LIVE_GAP = timedelta(seconds=5)
"""Between two runs of what is live."""
_EVERY = re.compile(r"every (\d{1,5}) ?m(?:in(?:ute)?s?)?")
_DAILY = re.compile(r"daily(?: at)? ([01]\d|2[0-3]):([0-5]\d)")
_MOST_MINUTES = 7 * 24 * 60
_HOUR = timedelta(hours=1)


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """When to run; exactly one of the four."""

    every: timedelta | None = None
    hourly: bool = False
    daily_at: time | None = None
    live: bool = False
    """Whenever something changed."""

    def next_after(self, started_at: datetime, timezone: str) -> datetime:
        """Return when the next run begins, given the last one's beginning."""
        if self.every is not None:
            return started_at + self.every
        if self.daily_at is not None:
            return _next_local(started_at, self.daily_at, ZoneInfo(timezone))
        if self.hourly:
            return started_at.replace(minute=0, second=0, microsecond=0) + _HOUR
        return started_at + LIVE_GAP


def clean_schedule(text: str) -> str:
    """Return the schedule in its shortest form; empty stays empty: the server's default."""
    tidy = " ".join(text.lower().split())
    every = _EVERY.fullmatch(tidy)
    daily = _DAILY.fullmatch(tidy)
    if every and 1 <= int(every[1]) <= _MOST_MINUTES:
        return f"every {int(every[1])}m"
    if daily:
        return f"daily {daily[1]}:{daily[2]}"
    if tidy in {"", "hourly", "live"}:
        return tidy
    raise InvalidInputError(
        f"{text!r} is no schedule.",
        field="schedule",
        hint="Write `every 5 minutes` (up to a week), `hourly`, `daily 03:00` or `live`.",
    )


def read_schedule(text: str, default: timedelta) -> Schedule:
    """Read what `clean_schedule` made."""
    tidy = clean_schedule(text)
    kind, _, rest = tidy.partition(" ")
    match kind:
        case "every":
            return Schedule(every=timedelta(minutes=int(rest.removesuffix("m"))))
        case "daily":
            return Schedule(daily_at=time.fromisoformat(rest))
        case "hourly":
            return Schedule(hourly=True)
        case "live":
            return Schedule(live=True)
        case _:
            return Schedule(every=default)


def _next_local(after: datetime, at: time, zone: ZoneInfo) -> datetime:
    """Return the next instant with that local time; a time that a day skips comes as late."""
    day = after.astimezone(zone).date()
    while True:
        moment = datetime.combine(day, at, zone).astimezone(after.tzinfo)
        if moment > after:
            return moment
        day += timedelta(days=1)
