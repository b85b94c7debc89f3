"""The newest entries at hand: runs without a gap, within their bytes."""

from datetime import UTC, datetime

from headwater.eventlog.port import Entry
from headwater.eventlog.tail import Tail

AT = datetime(2026, 11, 24, tzinfo=UTC)


def entry(offset: int, size_bytes: int = 10) -> Entry:
    return Entry(offset, b"x" * size_bytes, AT)


def offsets(run: list[Entry]) -> list[int]:
    return [one.offset for one in run]


def filled(*numbers: int, most_bytes: int = 1_000) -> Tail:
    tail = Tail(most_bytes)
    for number in numbers:
        tail.put(entry(number))
    return tail


def test_a_run_ends_at_the_first_entry_that_is_not_at_hand() -> None:
    tail = filled(5, 7, 6, 9)
    assert offsets(tail.run(5, 10, 1_000)) == [5, 6, 7]
    assert tail.run(4, 10, 1_000) == []
    assert tail.run(8, 10, 1_000) == []


def test_a_run_keeps_to_its_limits_and_is_never_empty_for_a_large_entry() -> None:
    tail = filled(1, 2, 3, 4)
    assert offsets(tail.run(1, 2, 1_000)) == [1, 2]
    assert offsets(tail.run(1, 9, 25)) == [1, 2]
    assert offsets(tail.run(1, 9, 1)) == [1]


def test_the_oldest_make_room() -> None:
    tail = filled(1, 2, 3, most_bytes=25)
    assert tail.run(1, 9, 1_000) == []
    assert offsets(tail.run(2, 9, 1_000)) == [2, 3]


def test_an_entry_larger_than_all_room_is_not_kept() -> None:
    tail = filled(1, most_bytes=25)
    tail.put(entry(2, 100))
    assert tail.run(1, 9, 1_000) == tail.run(2, 9, 1_000) == []
    tail.put(entry(3))
    assert offsets(tail.run(3, 9, 1_000)) == [3]


def test_an_offset_that_comes_again_has_its_new_bytes_and_room() -> None:
    tail = filled(1, most_bytes=25)
    tail.put(entry(1, 12))
    tail.put(entry(2))
    assert [len(one.data) for one in tail.run(1, 9, 1_000)] == [12, 10]


def test_what_the_log_forgets_is_forgotten() -> None:
    tail = filled(1, 2, 3, most_bytes=30)
    tail.trim(3)
    assert offsets(tail.run(3, 9, 1_000)) == [3]
    assert tail.run(2, 9, 1_000) == []
    tail.clear()
    assert tail.run(3, 9, 1_000) == []
    for number in (4, 5, 6):
        tail.put(entry(number))
    assert offsets(tail.run(4, 9, 1_000)) == [4, 5, 6]
