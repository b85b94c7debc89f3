"""The mark of the highest acknowledged offset."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.eventlog import Stream
from headwater.eventlog.mark import HighMark


def test_a_new_mark_is_zero(tmp_path: Path) -> None:
    """Nothing was acknowledged yet."""
    mark = HighMark(tmp_path / "mark")
    assert [mark.highest(stream) for stream in Stream] == [0, 0]
    mark.close()


def test_a_torn_mark_is_no_mark(tmp_path: Path) -> None:
    """A file cut off by a power failure costs the warning, not the start."""
    (tmp_path / "mark").write_bytes(b"\x01\x02")
    mark = HighMark(tmp_path / "mark")
    assert mark.highest(Stream.CALLS) == 0
    mark.close()


@given(st.lists(st.tuples(st.sampled_from(Stream), st.integers(1, 2**63))))
def test_the_mark_is_the_highest_of_its_stream(
    tmp_path_factory: pytest.TempPathFactory, offsets: list[tuple[Stream, int]]
) -> None:
    """In whatever order they came, and after a restart too."""
    path = tmp_path_factory.mktemp("mark") / "mark"
    mark = HighMark(path)
    for stream, offset in offsets:
        mark.put(stream, offset)
    mark.close()
    again = HighMark(path)
    for stream in Stream:
        highest = max((offset for of, offset in offsets if of is stream), default=0)
        assert mark.highest(stream) == again.highest(stream) == highest
    again.close()
