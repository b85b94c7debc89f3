"""A log is read while it is written, renamed and cut; broken lists are read up to the break."""

import io
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from headwater.base.errors import CorruptError, InvalidInputError
from headwater.collector.imports import Follower, open_lines
from headwater.collector.imports.call_ids import CallIds

Open = Callable[[Path], Follower]


@pytest.fixture
def follow() -> Iterator[Open]:
    """Open followers, and close them after the test."""
    with ExitStack() as opened:
        yield lambda path: opened.enter_context(closing(Follower(path)))


def read_all(follower: Follower) -> list[tuple[bytes, bool]]:
    """Return what comes until there is nothing new."""
    found = []
    while (news := follower.read()).block:
        found.append((news.block, news.begins))
    return found


def append(path: Path, text: bytes) -> None:
    with path.open("ab") as file:
        file.write(text)


def test_lines_come_when_they_are_whole(tmp_path: Path, follow: Open) -> None:
    """Half a line waits for its end."""
    log = tmp_path / "access.log"
    log.write_bytes(b"a\nb\nhal")
    follower = follow(log)
    assert read_all(follower) == [(b"a\nb", True)]
    append(log, b"f\nc\n")
    assert read_all(follower) == [(b"half\nc", False)]
    assert read_all(follower) == []


def test_a_renamed_log_is_read_to_its_end(tmp_path: Path, follow: Open) -> None:
    """Its last lines, even without an end, come before those of the new file."""
    log = tmp_path / "access.log"
    log.write_bytes(b"a\n")
    follower = follow(log)
    assert read_all(follower) == [(b"a", True)]
    log.rename(tmp_path / "access.log.1")
    append(tmp_path / "access.log.1", b"b\nlast")
    assert read_all(follower) == [(b"b", False)]
    log.write_bytes(b"new\n")
    assert read_all(follower) == [(b"last", False), (b"new", True)]


def test_a_log_that_was_cut_begins_anew(tmp_path: Path, follow: Open) -> None:
    """As `copytruncate` does."""
    log = tmp_path / "access.log"
    log.write_bytes(b"a\nb\n")
    follower = follow(log)
    assert read_all(follower) == [(b"a\nb", True)]
    log.write_bytes(b"c\n")
    assert read_all(follower) == [(b"c", True)]


def test_a_log_may_come_later_but_not_compressed(tmp_path: Path, follow: Open) -> None:
    """Between a renamed log and its successor there is none for a moment."""
    log = tmp_path / "access.log"
    follower = follow(log)
    assert read_all(follower) == []
    log.write_bytes(b"\x1f\x8b\x08\x00")
    with pytest.raises(InvalidInputError, match="compressed"):
        follower.read()


WHOLE = [{"n": 1}, {"n": "a, b]"}, {"n": [3]}]
BROKEN = {
    "cut short": (json.dumps(WHOLE)[:-4], 2, 3),
    "an empty place": ('[{"n": 1},,{"n": 2}]', 1, 2),
    "more behind it": (json.dumps(WHOLE) + "[1]", 3, 4),
    "an archive cut short": ('{"log": {"entries": ' + json.dumps(WHOLE)[:-4], 2, 3),
    "an archive without its end": ('{"log": {"entries": ' + json.dumps(WHOLE), 3, 4),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_list_is_read_up_to_the_break(name: str) -> None:
    """The error says at which item, and what stands there."""
    text, whole, item = BROKEN[name]
    found: list[bytes] = []
    lines = open_lines(io.BytesIO(text.encode()))
    with pytest.raises(CorruptError, match=rf"item {item}, character \d+") as raised:
        found.extend(lines)
    assert [json.loads(one) for one in found] == WHOLE[:whole]
    assert raised.value.facts["item"] == item


def test_equal_lines_are_told_apart_as_long_as_they_are_near() -> None:
    """Memory is bounded: what came long ago is forgotten, in whatever pages it came."""
    near, far = CallIds(most=10), CallIds(most=10)
    lines = [b"%d" % n for n in range(9)]
    assert near.of(b"a") != near.of(b"a")
    first = far.of(b"a")
    far.of_all(lines)
    far.of_all([b"x%d" % n for n in range(20)])
    assert far.of(b"a") == first


def test_ids_do_not_depend_on_pages() -> None:
    """All at once, in two halves or one by one."""
    lines = [b"%d" % (n % 7 if n % 3 else n) for n in range(60)]
    whole = CallIds(most=12).of_all(lines)
    halves, singly = CallIds(most=12), CallIds(most=12)
    assert halves.of_all(lines[:31]) + halves.of_all(lines[31:]) == whole
    assert "".join(map(singly.of, lines)) == whole.hex()
