"""A schedule says one next moment, in the app's own time, on days of any length."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.base.errors import InvalidInputError
from headwater.base.schedule import clean_schedule, read_schedule

DEFAULT = timedelta(seconds=300)
BERLIN = "Europe/Berlin"
EARLIEST = datetime(2011, 12, 1, tzinfo=UTC)


def after(text: str, at: str, zone: str = "UTC") -> str:
    started_at = datetime.fromisoformat(at).replace(tzinfo=UTC)
    return read_schedule(text, DEFAULT).next_after(started_at, zone).strftime("%Y-%m-%dT%H:%M:%S")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("", ""), ("live", "live"), (" Hourly ", "hourly"), ("every 5 minutes", "every 5m"),
        ("every 1 minute", "every 1m"), ("every 15m", "every 15m"), ("daily 03:00", "daily 03:00"),
        ("Daily at 23:59", "daily 23:59"), ("every 010 min", "every 10m"),
    ],
)  # fmt: skip
def test_a_schedule_is_kept_short(typed: str, kept: str) -> None:
    """And read again as the same."""
    assert clean_schedule(typed) == kept
    assert clean_schedule(kept) == kept


@pytest.mark.parametrize(
    "typed",
    ["every 0 minutes", "every 10081m", "every -5m", "daily", "daily 24:00", "daily 3:00", "x"],
)
def test_what_is_no_schedule_is_refused(typed: str) -> None:
    """With the ways to write one."""
    with pytest.raises(InvalidInputError) as caught:
        clean_schedule(typed)
    assert (caught.value.field, "hourly" in caught.value.hint) == ("schedule", True)


@pytest.mark.parametrize(
    ("text", "at", "zone", "then"),
    [
        ("", "2026-11-23T10:00:00", "UTC", "2026-11-23T10:05:00"),
        ("every 90m", "2026-11-23T10:00:07", "UTC", "2026-11-23T11:30:07"),
        ("hourly", "2026-11-23T10:00:00", "UTC", "2026-11-23T11:00:00"),
        ("hourly", "2026-11-23T10:59:59", "UTC", "2026-11-23T11:00:00"),
        ("live", "2026-11-23T10:00:00", "UTC", "2026-11-23T10:00:05"),
        ("daily 03:00", "2026-11-23T02:59:59", "UTC", "2026-11-23T03:00:00"),
        ("daily 03:00", "2026-11-23T03:00:00", "UTC", "2026-11-24T03:00:00"),
        ("daily 03:00", "2026-11-23T23:30:00", BERLIN, "2026-11-24T02:00:00"),
        # The clock jumps from 02:00 to 03:00: the run comes when 02:30 would have been.
        ("daily 02:30", "2027-03-27T12:00:00", BERLIN, "2027-03-28T01:30:00"),
        ("daily 02:30", "2027-03-28T01:30:00", BERLIN, "2027-03-29T00:30:00"),
        # 02:30 comes twice: the run comes once.
        ("daily 02:30", "2026-10-24T12:00:00", BERLIN, "2026-10-25T00:30:00"),
        ("daily 02:30", "2026-10-25T00:30:00", BERLIN, "2026-10-26T01:30:00"),
    ],
)
def test_the_next_run(text: str, at: str, zone: str, then: str) -> None:
    """After a run that began at that moment."""
    assert after(text, at, zone) == then


@given(
    st.sampled_from([BERLIN, "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]),
    st.integers(0, 16 * 365 * 86_400).map(lambda s: EARLIEST + timedelta(seconds=s)),
    st.sampled_from(["daily 00:00", "daily 02:15", "daily 23:59", "hourly", "every 7m", "live"]),
)
def test_a_next_run_always_lies_ahead(zone: str, at: datetime, text: str) -> None:
    """And a daily one within two days and a half, whatever the zone does."""
    then = read_schedule(text, DEFAULT).next_after(at, zone)
    assert timedelta() < then - at <= timedelta(hours=60)
