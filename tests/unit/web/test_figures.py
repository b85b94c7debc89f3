"""What people read: figures, changes, days, lines."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.web.figures import (
    DAYS,
    change_of,
    last_days,
    points_of,
    show_bytes,
    show_count,
    show_day,
    show_moment,
    show_ms,
    show_percent,
    show_period,
    show_span,
    spark_points,
)

MINUS = "\N{MINUS SIGN}"
DASH = "\N{EN DASH}"
# Hypothesis wants bounds without a zone.
YEARS = (datetime(2020, 1, 1), datetime(2030, 1, 1))  # noqa: DTZ001


def test_figures_are_written_in_full_with_one_decimal_for_shares() -> None:
    """Tables show every digit, percentages one decimal, long latencies seconds."""
    assert show_count(156209) == "156,209"
    assert show_percent(0.0312) == "3.1%"
    assert show_ms(578.6) == "579 ms"
    assert show_ms(12_345) == "12.3 s"
    assert show_day(date(2026, 11, 2)) == "2 Nov 2026"


def test_a_moment_is_shown_in_the_zone_of_the_app() -> None:
    """Midnight UTC is the evening before in New York."""
    at = datetime(2026, 11, 3, 0, 30, tzinfo=UTC)
    assert show_moment(at, "America/New_York") == "2 Nov 2026, 19:30"


@pytest.mark.parametrize(
    ("now", "before", "text", "tone"),
    [
        (112.4, 100, "▲ +12.4%", "good"),
        (97.6, 100, f"▼ {MINUS}2.4%", "bad"),
        (100, 100, "± 0.0%", ""),
        (100.04, 100, "± 0.0%", ""),
        (5000, 100, "▲ 50 times", "good"),
        (5, 0, "nothing to compare with", ""),
        (0, 100, f"▼ {MINUS}100.0%", "bad"),
    ],
)
def test_a_change_has_a_sign_and_an_arrow(now: float, before: float, text: str, tone: str) -> None:
    """More calls are good; without a past there is no change."""
    change = change_of(now, before, rising="good")
    assert (change.text, change.tone) == (text, tone)


def test_a_rising_error_rate_is_bad_and_counted_in_points() -> None:
    """From 2.7% to 3.1% is 0.4 points, not 15 percent."""
    change = points_of(0.031, 0.027, rising="bad")
    assert (change.text, change.tone) == ("▲ +0.4 points", "bad")
    assert points_of(0.027, 0.031, rising="bad").tone == "good"
    assert points_of(0.5, None, rising="bad").tone == ""


@given(
    st.datetimes(*YEARS, timezones=st.just(UTC)),
    st.sampled_from(["UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kathmandu"]),
)
def test_the_window_is_thirty_local_days_beside_thirty_before(now: datetime, zone: str) -> None:
    """Both halves begin at a local midnight and end at the same time of day, also across DST."""
    window = last_days(now, zone)
    assert timedelta() < window.end - now <= timedelta(minutes=15)
    assert window.end.timestamp() % 900 == 0
    assert len(window.days) == DAYS
    assert window.days[-1] == now.astimezone(ZoneInfo(zone)).date()
    assert (window.start.hour, window.before_start.hour) == (0, 0)
    assert window.start.date() - window.before_start.date() == timedelta(days=DAYS)
    assert window.end.time() == window.before_end.time()


def test_a_period_names_the_year_once_unless_it_changes() -> None:
    """The year stands behind the last day; before the first only when it is another one."""
    november = last_days(datetime(2026, 11, 22, 12, tzinfo=UTC), "UTC")
    assert show_period(november) == f"24 Oct {DASH} 22 Nov 2026"
    january = last_days(datetime(2027, 1, 10, 12, tzinfo=UTC), "UTC")
    assert show_period(january) == f"12 Dec 2026 {DASH} 10 Jan 2027"


@given(st.lists(st.one_of(st.none(), st.floats(0, 1e9)), max_size=40))
def test_a_line_stays_inside_its_box(values: list[float | None]) -> None:
    """Every point is within 100 x 28, whatever the numbers; the unfinished day is left out."""
    points = [tuple(map(float, point.split(","))) for point in spark_points(values).split()]
    assert len(points) == sum(value is not None for value in values[:-1])
    assert all(0 <= x <= 100 and 0 <= y <= 28 for x, y in points)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.9, "0 s"),
        (45, "45 s"),
        (185, "3 min 5 s"),
        (7_200, "2 h"),
        (7_205, "2 h"),
        (86_400, "1 day"),
        (270_000, "3 days 3 h"),
    ],
)
def test_a_span_is_told_in_its_two_largest_units(seconds: float, text: str) -> None:
    """A unit that is zero is left out."""
    assert show_span(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (12_345_678, "12.3 MB"), (5e12, "5,000.0 GB")],
)
def test_bytes_are_told_in_thousands(count: int, text: str) -> None:
    """No unit above GB: nothing here is larger."""
    assert show_bytes(count) == text
