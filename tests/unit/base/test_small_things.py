"""Ids, retries, times and locks: the small laws that others rest on."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.base.clock import to_wire_time
from headwater.base.errors import ConflictError
from headwater.base.ids import new_collector_id, new_id, new_write_key, stable_id
from headwater.base.lock import DirectoryLock, is_locked
from headwater.base.retry import backoff_s, retry_after_s


def test_ids_differ_and_name_their_kind() -> None:
    """Two ids are never the same, and each can be told from others at a glance."""
    ids = {new_id("app") for _ in range(1_000)}

    assert len(ids) == 1_000
    assert all(one.startswith("app_") and len(one) == 24 for one in ids)


def test_keys_have_the_form_that_clients_ask_for() -> None:
    """Node's client refuses collector ids under 50 characters; write keys have 32."""
    assert len(new_collector_id()) >= 50
    assert (len(new_write_key()), new_write_key().isalnum()) == (32, True)


def test_stable_ids_keep_their_parts_apart() -> None:
    """`ab`+`c` is not `a`+`bc`; the same parts always give the same id."""
    assert stable_id("ab", "c") == stable_id("ab", "c") != stable_id("a", "bc")


@given(attempt=st.integers(1, 10_000), drawn=st.floats(0, 1))
def test_backoff_is_never_zero_and_never_above_its_cap(attempt: int, drawn: float) -> None:
    """A failing peer gets some rest, and is asked again within the cap."""
    assert 0 < backoff_s(attempt, cap_s=60, draw=lambda: drawn) <= 60


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        ("5", 5.0),
        ("0", 1.0),
        ("999999999", 86_400.0),
        ("", None),
        ("Wed, 21 Oct", None),
        ("-1", None),
        ("Mon, 23 Nov 2026 10:00:30 GMT", 30.0),
        ("Monday, 23-Nov-26 10:00:30 GMT", 30.0),
        ("Mon Nov 23 10:00:30 2026", 30.0),
        ("Mon, 23 Nov 2026 09:00:00 GMT", 1.0),
        ("Mon, 23 Nov 2099 09:00:00 GMT", 86_400.0),
    ],
)
def test_retry_after_is_read_within_reason(header: str, wait_s: float | None) -> None:
    """Seconds or any form of date, between one second and a day; else as if absent."""
    headers = {"date": "Mon, 23 Nov 2026 10:00:00 GMT", "retry-after": header}
    assert wait_s == retry_after_s(headers)


@given(st.text(), st.text())
def test_retry_after_may_hold_anything(asked: str, date: str) -> None:
    """Without the peer's own time its date says nothing, and nothing that it says is an error."""
    assert retry_after_s({"retry-after": "Mon, 23 Nov 2026 10:00:30 GMT"}) is None
    retry_after_s({"retry-after": asked, "date": date})


def test_times_go_out_in_utc_with_milliseconds() -> None:
    """Both houses' wires have one form of time."""
    at = datetime(2026, 11, 23, 3, 20, 0, 1_999, tzinfo=timezone(timedelta(hours=1)))

    assert to_wire_time(at) == "2026-11-23T02:20:00.001Z"
    assert datetime.fromisoformat(to_wire_time(at)).tzinfo == UTC


def test_a_directory_has_one_owner_at_a_time(tmp_path: Path) -> None:
    """The second one is told who the first is; afterwards the directory is free."""
    lock = DirectoryLock(tmp_path)
    assert is_locked(tmp_path)
    with pytest.raises(ConflictError, match="pid"):
        DirectoryLock(tmp_path)
    lock.close()

    assert not is_locked(tmp_path)
