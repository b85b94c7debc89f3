"""Days begin and end where the zone says, all over the world, over every change of clocks."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.profiles import day_window, last_complete_day
from headwater.profiles.windows import history

ZONES = st.sampled_from(sorted(available_timezones() - {"localtime"}))
DAYS = st.dates(date(2000, 1, 1), date(2040, 12, 31))
TICK = timedelta(microseconds=1)


@given(ZONES, DAYS)
def test_days_follow_each_other_without_a_gap(zone: str, day: date) -> None:
    """Each instant belongs to one day, and bounds lie on quarters of an hour."""
    start, end = day_window(zone, day.isoformat())
    assert day_window(zone, (day + timedelta(days=1)).isoformat())[0] == end
    assert start.timestamp() % 900 == 0
    if start < end:  # a zone that jumped over the date line skipped a whole day
        assert start.astimezone(ZoneInfo(zone)).date() == day
        assert (end - TICK).astimezone(ZoneInfo(zone)).date() == day


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("Asia/Kathmandu", "2026-03-29", 24),
    ],
)
def test_days_have_their_own_length(zone: str, day: str, hours: float) -> None:
    """Over a change of clocks too."""
    start, end = day_window(zone, day)
    assert end - start == timedelta(hours=hours)


def test_the_last_complete_day_is_yesterday_there() -> None:
    """At 18:14:59 UTC it is still the 22nd in Kathmandu."""
    at = datetime(2026, 11, 22, 18, 14, 59, tzinfo=UTC)
    assert last_complete_day(at, "Asia/Kathmandu") == "2026-11-21"
    assert last_complete_day(at + timedelta(seconds=1), "Asia/Kathmandu") == "2026-11-22"


def test_the_past_of_a_day_is_made_of_days() -> None:
    """Seven and fourteen local days that end with the window, 28 for activity."""
    _, end = day_window("Europe/Berlin", "2026-10-25")
    past = history("Europe/Berlin", end, whole_days=True)
    assert past.week == day_window("Europe/Berlin", "2026-10-19")[0]
    assert past.week_before == day_window("Europe/Berlin", "2026-10-12")[0]
    assert (len(past.days), past.first) == (28, day_window("Europe/Berlin", "2026-09-28")[0])


def test_the_past_of_a_rolling_window_is_made_of_hours() -> None:
    """168 and 336 of them; the days are those of the zone."""
    end = datetime(2026, 10, 26, 12, tzinfo=UTC)
    past = history("Europe/Berlin", end, whole_days=False)
    assert (end - past.week, end - past.week_before) == (timedelta(days=7), timedelta(days=14))
    assert past.days[-1] == day_window("Europe/Berlin", "2026-10-26")[0]
