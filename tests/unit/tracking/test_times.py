"""Times of clients, corrected for their clocks."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.base.clock import to_wire_time
from headwater.tracking.times import correct, read_time

RECEIVED = datetime(2026, 11, 23, 2, 20, 5, 250_000, tzinfo=UTC)
sane = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - Hypothesis adds the zone


def test_the_worked_example() -> None:
    """Original 02:20:00, sent 02:20:03, received 02:20:05.250: it happened at 02:20:02.250."""
    sent = datetime(2026, 11, 23, 2, 20, 3, tzinfo=UTC)
    times = correct("2026-11-23T02:20:00.000Z", sent, RECEIVED)
    assert to_wire_time(times.timestamp) == "2026-11-23T02:20:02.250Z"
    assert to_wire_time(times.original) == "2026-11-23T02:20:00.000Z"


@given(sane, sane, sane, st.timedeltas(timedelta(days=-300), timedelta(days=300)))
def test_a_wrong_clock_does_not_matter(
    original: datetime, sent: datetime, received: datetime, wrong_by: timedelta
) -> None:
    """A client whose clock is wrong gets the same time as one whose clock is right."""
    right = correct(original.isoformat(), sent, received)
    wrong = correct((original + wrong_by).isoformat(), sent + wrong_by, received)
    assert right.timestamp == wrong.timestamp


@given(sane)
def test_nothing_is_corrected_without_sent_at(original: datetime) -> None:
    """Without `sentAt` the client's time stands."""
    assert correct(original.isoformat(), None, RECEIVED).timestamp == original


def test_without_a_time_it_happened_when_it_was_sent() -> None:
    """No timestamp: the time of sending, which is the time of arrival by our clock."""
    sent = datetime(2026, 11, 23, 1, tzinfo=UTC)
    assert correct(None, sent, RECEIVED).original == sent
    assert correct(None, sent, RECEIVED).timestamp == RECEIVED
    assert correct(None, None, RECEIVED).timestamp == RECEIVED


@pytest.mark.parametrize("value", ["yesterday", "", 1_700_000_000, True, {"a": 1}, "2026-13-01"])
def test_what_cannot_be_read_happened_on_arrival(value: object) -> None:
    """An unreadable time never costs the message, and no skew is added to the time of arrival."""
    sent = datetime(2026, 11, 23, 1, tzinfo=UTC)
    assert correct(value, None, RECEIVED).timestamp == RECEIVED
    assert correct(value, sent, RECEIVED).timestamp == RECEIVED


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        ("2026-11-23T02:18:59.301+00:00", "2026-11-23T02:18:59.301Z"),
        ("2026-11-23T02:18:59.301456+00:00", "2026-11-23T02:18:59.301Z"),
        ("2026-11-23T04:18:59.132Z", "2026-11-23T04:18:59.132Z"),
        ("2026-11-23T05:48:59+05:30", "2026-11-23T00:18:59.000Z"),
        ("2026-11-23T02:18:59", "2026-11-23T02:18:59.000Z"),
        ("2026-11-23", "2026-11-23T00:00:00.000Z"),
    ],
)
def test_the_forms_that_clients_send_are_read(value: str, wire: str) -> None:
    """Python's and JavaScript's forms, offsets, dates; without a zone it is UTC."""
    at = read_time(value)
    assert at is not None
    assert to_wire_time(at) == wire


@pytest.mark.parametrize("edge", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_the_ends_of_time_do_not_break_the_clock(edge: str) -> None:
    """Times that cannot be counted in UTC, or corrected, happened on arrival."""
    assert correct(edge, None, RECEIVED).timestamp == RECEIVED
    far = datetime(1, 1, 1, tzinfo=UTC)
    assert correct("9999-12-31T00:00:00Z", far, RECEIVED).timestamp == RECEIVED
