"""Clients write times in many ways; the ones that can be read are read exactly."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.collector.times import EPOCH, read_time

READABLE = [
    ("2026-11-23T02:23:57.019", datetime(2026, 11, 23, 2, 23, 57, 19_000, UTC)),
    ("2024-10-30T04:45:42.914000", datetime(2024, 10, 30, 4, 45, 42, 914_000, UTC)),
    ("2026-11-23T02:24:26.153Z", datetime(2026, 11, 23, 2, 24, 26, 153_000, UTC)),
    ("2026-11-23T02:24:26.123456789Z", datetime(2026, 11, 23, 2, 24, 26, 123_456, UTC)),
    ("2026-11-23T02:24:26.7", datetime(2026, 11, 23, 2, 24, 26, 700_000, UTC)),
    ("2026-11-23T02:24:26", datetime(2026, 11, 23, 2, 24, 26, 0, UTC)),
    ("2026-11-23T02:24:26+05:30", datetime(2026, 11, 22, 20, 54, 26, 0, UTC)),
    (" 2026-11-23 02:24:26Z ", datetime(2026, 11, 23, 2, 24, 26, 0, UTC)),
    ("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, 0, UTC)),
    ("2016-12-31T23:59:60.5Z", datetime(2016, 12, 31, 23, 59, 59, 500_000, UTC)),
    ("2026-11-22T24:00:00Z", datetime(2026, 11, 23, 0, 0, 0, 0, UTC)),
    (1_700_000_000_123, datetime(2023, 11, 14, 22, 13, 20, 123_000, UTC)),
    ("1700000000123", datetime(2023, 11, 14, 22, 13, 20, 123_000, UTC)),
    (1_700_000_000, datetime(2023, 11, 14, 22, 13, 20, 0, UTC)),
    (1_700_000_000.5, datetime(2023, 11, 14, 22, 13, 20, 500_000, UTC)),
    (1_700_000_000_123_456, datetime(2023, 11, 14, 22, 13, 20, 123_456, UTC)),
]


@pytest.mark.parametrize(("sent", "meant"), READABLE)
def test_every_spelling_of_the_clients_is_read(sent: str | float, meant: datetime) -> None:
    """Naive times are UTC; numbers are told apart by their size."""
    assert read_time(sent) == meant


UNREADABLE = [
    None, "", "yesterday", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+23:00",
    "9999-12-31T23:59:59Z",
    "1969-12-31T23:59:59Z", -5, 10**40, float("inf"), "9" * 5000, "2026-11-23T02:24:26.153Zulu",
]  # fmt: skip


@pytest.mark.parametrize("sent", UNREADABLE)
def test_what_cannot_be_read_or_stored_is_none(sent: str | float | None) -> None:
    """No time is better than a wrong one; the caller then takes the arrival."""
    assert read_time(sent) is None


@given(st.none() | st.text(max_size=40) | st.integers() | st.floats())
def test_no_value_makes_reading_fail(sent: str | float | None) -> None:
    """Law: any value gives an aware UTC time that the store can hold, or None."""
    at = read_time(sent)
    assert at is None or (at.tzinfo is UTC and 1970 <= at.year < 2106)


@given(st.integers(0, 4_290_000_000_000_000).map(lambda us: EPOCH + timedelta(microseconds=us)))
def test_what_we_write_is_read_back(at: datetime) -> None:
    """Law: ISO text with and without zone gives the same moment."""
    assert read_time(at.isoformat()) == at
    assert read_time(at.replace(tzinfo=None).isoformat()) == at
