"""Read times of a question and cut them into buckets.

In: `from` and `to` as ISO 8601 or relative (`-30d`, `now`), an interval, a zone. Out: aware UTC
times. Days, weeks and months are those of the zone, so one of 23 or 25 hours is one bucket.
"""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from headwater.base.errors import InvalidInputError

Interval = Literal["minute", "hour", "day", "week", "month"]
MOST_BUCKETS = 5_000
_RELATIVE = re.compile(r"-(\d{1,6})([smhdwM])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_MONTHS_A_YEAR = 12
_MONDAY_BASED_DAYS = 7
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)


class TimeRange(msgspec.Struct, frozen=True):
    """From (included) to (excluded), aware UTC."""

    start: datetime
    end: datetime


def read_zone(name: str) -> ZoneInfo:
    """Return the zone of that name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as err:
        raise InvalidInputError(
            f"{name!r} is not a time zone.", field="$.timezone", hint="Such as Europe/Berlin."
        ) from err


def read_range(start: str, end: str, zone: ZoneInfo, now: datetime) -> TimeRange:
    """Return the range of a question."""
    found = TimeRange(_read(start, zone, now, "$.from"), _read(end, zone, now, "$.to"))
    if found.start >= found.end:
        raise InvalidInputError(
            "`from` must be before `to`.", field="$.from", hint="Such as -30d to now."
        )
    return found


def _read(text: str, zone: ZoneInfo, now: datetime, path: str) -> datetime:
    if text == "now":
        return now
    relative = _RELATIVE.fullmatch(text)
    try:
        found = _back(now, int(relative[1]), relative[2], zone) if relative else _parse(text, zone)
    except (ValueError, OverflowError) as err:
        raise InvalidInputError(
            f"{text!r} is not a time.",
            field=path,
            hint="Use ISO 8601, `now`, or `-30d` (units s m h d w M).",
        ) from err
    return min(max(found, _EARLIEST), _LATEST)


def _parse(text: str, zone: ZoneInfo) -> datetime:
    at = datetime.fromisoformat(text)
    return (at.replace(tzinfo=zone) if at.tzinfo is None else at).astimezone(UTC)


def _back(now: datetime, count: int, unit: str, zone: ZoneInfo) -> datetime:
    """Go back on the zone's calendar: a day ago is the same wall time, over a change as well."""
    if unit in "smh":
        return now - timedelta(**{_UNITS[unit]: count})
    local = now.astimezone(zone)
    if unit == "M":
        month = local.year * _MONTHS_A_YEAR + local.month - 1 - count
        year, zero_based = divmod(month, _MONTHS_A_YEAR)
        day = min(local.day, _days_of_month(year, zero_based + 1))
        moved = local.replace(year=year, month=zero_based + 1, day=day)
    else:
        moved = local - timedelta(**{_UNITS[unit]: count})
    return moved.astimezone(UTC)


def _days_of_month(year: int, month: int) -> int:
    following = date(year + month // _MONTHS_A_YEAR, month % _MONTHS_A_YEAR + 1, 1)
    return (following - timedelta(days=1)).day


def cut_buckets(span: TimeRange, interval: Interval, zone: ZoneInfo) -> list[datetime]:
    """Return the beginnings of the buckets that cover `span`, aware UTC, oldest first."""
    starts: list[datetime] = []
    at = _floor(span.start, interval, zone)
    while at < span.end:
        if len(starts) == MOST_BUCKETS:
            raise InvalidInputError(
                f"That is more than {MOST_BUCKETS} buckets.",
                field="$.interval",
                hint="Choose a longer interval or a shorter range.",
            )
        starts.append(at)
        at = _following(at, interval, zone)
    return starts


def _floor(at: datetime, interval: Interval, zone: ZoneInfo) -> datetime:
    local = at.astimezone(zone)
    match interval:
        case "minute":
            return at.replace(second=0, microsecond=0)
        case "hour":
            # Subtracting within the hour keeps the two equal hours of an autumn night apart.
            past = timedelta(
                minutes=local.minute, seconds=local.second, microseconds=local.microsecond
            )
            return at - past
        case "day":
            return _midnight(local.date(), zone)
        case "week":
            return _midnight(local.date() - timedelta(days=local.weekday()), zone)
        case "month":
            return _midnight(local.date().replace(day=1), zone)


def _following(at: datetime, interval: Interval, zone: ZoneInfo) -> datetime:
    day = at.astimezone(zone).date()
    match interval:
        case "minute":
            return at + timedelta(minutes=1)
        case "hour":
            return at + timedelta(hours=1)
        case "day":
            return _midnight(day + timedelta(days=1), zone)
        case "week":
            return _midnight(day + timedelta(days=_MONDAY_BASED_DAYS), zone)
        case "month":
            return _midnight(day + timedelta(days=_days_of_month(day.year, day.month)), zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
