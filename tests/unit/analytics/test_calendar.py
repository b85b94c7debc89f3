"""Ranges and buckets against the zone database: every zone, around any change of its clock."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.analytics.time_range import TimeRange, cut_buckets, read_range
from headwater.base.errors import InvalidInputError

ZONES = sorted(available_timezones() - {"localtime", "Factory"})
TIMES = st.integers(946_684_800, 2_208_988_800).map(lambda s: datetime.fromtimestamp(s, UTC))
NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


@given(zone=st.sampled_from(ZONES), start=TIMES, days=st.integers(1, 40), share=st.floats(0, 1))
def test_a_day_is_the_zones_own_day(zone: str, start: datetime, days: int, share: float) -> None:
    """Any moment falls into the bucket that began at the latest midnight of its wall clock."""
    there = ZoneInfo(zone)
    span = TimeRange(start, start + timedelta(days=days))
    starts = cut_buckets(span, "day", there)
    moment = start + share * (span.end - span.start) * 0.999

    bucket = max(begin for begin in starts if begin <= moment)

    assert bucket.astimezone(there).date() == moment.astimezone(there).date()
    assert starts[0] <= span.start
    assert starts == sorted(set(starts))


@given(zone=st.sampled_from(ZONES), start=TIMES, hours=st.integers(1, 200))
def test_hours_are_hours_of_the_wall_clock(zone: str, start: datetime, hours: int) -> None:
    """Buckets are an hour each, also in a night that has one twice, and none is missing."""
    there = ZoneInfo(zone)
    starts = cut_buckets(TimeRange(start, start + timedelta(hours=hours)), "hour", there)

    assert starts[0] <= start < starts[0] + timedelta(hours=1)
    assert {b - a for a, b in pairwise(starts)} <= {timedelta(hours=1)}


@given(zone=st.sampled_from(ZONES), start=TIMES)
def test_weeks_begin_on_monday_and_months_on_the_first(zone: str, start: datetime) -> None:
    """Whatever the clock did in between."""
    there = ZoneInfo(zone)
    span = TimeRange(start, start + timedelta(days=100))

    weeks = {at.astimezone(there).weekday() for at in cut_buckets(span, "week", there)}
    months = {at.astimezone(there).day for at in cut_buckets(span, "month", there)}

    assert (weeks, months) == ({0}, {1})


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("now", "UTC", "2026-11-21T09:30:00+00:00"),
        ("-90s", "UTC", "2026-11-21T09:28:30+00:00"),
        ("-24h", "Europe/Berlin", "2026-11-20T09:30:00+00:00"),
        ("-30d", "Europe/Berlin", "2026-10-22T08:30:00+00:00"),  # the same wall time, in summer
        ("-1w", "Asia/Kathmandu", "2026-11-14T09:30:00+00:00"),
        ("-9M", "UTC", "2026-02-21T09:30:00+00:00"),
        ("2026-11-20", "Asia/Kathmandu", "2026-11-19T18:15:00+00:00"),
        ("2026-11-20T12:00:00Z", "Europe/Berlin", "2026-11-20T12:00:00+00:00"),
        ("2026-11-20T12:00:00-05:00", "Europe/Berlin", "2026-11-20T17:00:00+00:00"),
        ("-90000d", "UTC", "1970-01-01T00:00:00+00:00"),
    ],
)
def test_a_time_is_read_in_the_zone(text: str, zone: str, expected: str) -> None:
    """Relative times go back on the zone's calendar; what has no offset is the zone's wall time."""
    found = read_range(text, "2026-11-22T00:00:00Z", ZoneInfo(zone), NOW)

    assert found.start == datetime.fromisoformat(expected)


@pytest.mark.parametrize("text", ["", "yesterday", "-3y", "+1d", "-999999w", "2026-13-01", "12:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    """With the place in the question."""
    with pytest.raises(InvalidInputError) as caught:
        read_range(text, "now", ZoneInfo("UTC"), NOW)

    assert caught.value.field == "$.from"


def test_the_end_of_january_less_a_month_is_the_end_of_december() -> None:
    """A month back from the 31st stays within the shorter month."""
    now = datetime(2026, 3, 31, tzinfo=UTC)

    assert read_range("-1M", "now", ZoneInfo("UTC"), now).start == datetime(2026, 2, 28, tzinfo=UTC)
