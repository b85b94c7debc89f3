"""Calls become columns that the store always takes."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from headwater.ingest.rows import to_call_rows, to_reject_rows
from headwater.model import Reject
from tests.support.calls import NOON, make_call


def test_each_field_lands_in_its_column() -> None:
    """Times keep their microseconds, raw JSON stays as it came."""
    call = make_call(request_body=msgspec.Raw(b'{"a":1}'), flags=("late",), weight=10)
    [row] = to_call_rows([(7, call)]).to_pylist()
    assert row["call_id"] == "call_1"
    assert row["time"] == NOON
    assert row["request_body"] == '{"a":1}'
    assert row["response_body"] == ""
    assert row["request_headers"] == '{"user-agent":"stripe-python/5.0.1"}'
    assert row["user_agent"] == "stripe-python/5.0.1"
    assert (row["flags"], row["weight"], row["log_offset"]) == (["late"], 10, 7)


_ANY = st.integers(min_value=-(2**80), max_value=2**80)


@given(status=_ANY, weight=_ANY, size=_ANY, duration=st.floats(allow_nan=False))
def test_absurd_numbers_are_cut_and_never_raise(
    status: int, weight: int, size: int, duration: float
) -> None:
    """A number beyond its column costs no call."""
    call = make_call(
        status=status,
        weight=weight,
        request_bytes=size,
        response_bytes=size,
        duration_ms=duration,
    )
    [row] = to_call_rows([(1, call)]).to_pylist()
    assert 0 <= row["status"] <= 65_535
    assert 1 <= row["weight"] <= 1_000_000
    assert 0 <= row["request_bytes"] <= 2**53
    assert 0 <= row["duration_ms"] <= 1e12


def test_no_calls_make_an_empty_table_of_the_same_shape() -> None:
    """The shape does not depend on the calls."""
    assert to_call_rows([]).schema == to_call_rows([(1, make_call())]).schema


def test_rejects_become_rows() -> None:
    """The reason and the sample are kept."""
    reject = Reject(
        app_id="app_1", reject_id="r1", received_at=NOON, kind="event", reason="why", sample="{"
    )
    [row] = to_reject_rows([(3, reject)]).to_pylist()
    assert (row["reason"], row["sample"], row["log_offset"]) == ("why", "{", 3)
