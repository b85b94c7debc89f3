"""Batches wait in memory or in a folder, within bounds, and leave it once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from headwater.middleware.backlog import Backlog, Memory, Spool
from headwater.middleware.batch import Batch
from headwater.middleware.trouble import Trouble


def _batch(number: int, size_bytes: int = 10) -> Batch:
    return Batch(str(number).encode().zfill(size_bytes), events=number, made_at_s=1e9 + number)


def _spool(folder: Path, limit_bytes: int = 1_000_000) -> Spool:
    return Spool(folder / "spool", limit_bytes, Trouble())


@pytest.fixture(params=["memory", "disk"])
def backlog(request: pytest.FixtureRequest, tmp_path: Path) -> Backlog:
    """Room for three batches of 10,000 bytes, with what a file takes besides."""
    memory = request.param == "memory"
    return Memory(35_000) if memory else _spool(tmp_path, 35_000 + 3 * 4_096)


def _drain(backlog: Backlog) -> list[int]:
    numbers = []
    while batch := backlog.take():
        numbers.append(batch.events)
        backlog.drop(batch)
    return numbers


def test_the_oldest_leaves_first_and_once(backlog: Backlog) -> None:
    """What is given back comes again."""
    for number in (1, 2, 3):
        assert backlog.add(_batch(number)) == 0
    first = backlog.take()
    assert first is not None
    assert (first.events, first.made_at_s, first.packed) == (1, 1e9 + 1, b"1".zfill(10))
    backlog.give_back(first)
    assert _drain(backlog) == [1, 2, 3]
    assert backlog.take() is None


def test_the_oldest_make_room(backlog: Backlog) -> None:
    """And it is said how many events went with them."""
    assert [backlog.add(_batch(n, 10_000)) for n in (1, 2, 3, 4, 5)] == [0, 0, 0, 1, 2]
    assert _drain(backlog) == [3, 4, 5]


def test_a_spool_outlives_its_process(tmp_path: Path) -> None:
    """The next one finds what the last one had, and sends it once."""
    code = (
        "import sys, os; from pathlib import Path;"
        "from tests.rooms.middleware.test_backlog import _batch, _spool;"
        "spool = _spool(Path(sys.argv[1])); spool.add(_batch(1)); spool.add(_batch(2));"
        "held = spool.take(); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert done.returncode == -9
    assert _drain(_spool(tmp_path)) == [1, 2]
    assert _drain(_spool(tmp_path)) == []
    assert list((tmp_path / "spool").iterdir()) == []


def test_two_processes_never_hold_the_same_batch(tmp_path: Path) -> None:
    """A lock on the file says whose it is, until it is sent or given back."""
    one, two = _spool(tmp_path), _spool(tmp_path)
    one.add(_batch(1))
    one.add(_batch(2))
    mine, yours = one.take(), two.take()
    assert mine is not None
    assert yours is not None
    assert (mine.events, yours.events) == (1, 2)
    assert one.take() is None
    two.give_back(yours)
    one.drop(mine)
    assert _drain(one) == [2]


def test_half_a_file_is_never_sent(tmp_path: Path) -> None:
    """It is removed when nobody can be writing it any more; strange files stay alone."""
    spool = _spool(tmp_path)
    spool.add(_batch(1))
    folder = tmp_path / "spool"
    fresh, stale, strange = folder / "a.partial", folder / "b.partial", folder / "notes.txt"
    for path in (fresh, stale, strange):
        path.write_text("x")
    os.utime(stale, (1, 1))
    assert _drain(spool) == [1]
    assert {path.name for path in folder.iterdir()} == {"a.partial", "notes.txt"}


def test_a_disk_that_cannot_be_written_costs_nothing_but_safety(tmp_path: Path) -> None:
    """Batches wait in memory then."""
    (tmp_path / "spool").write_text("in the way")
    spool = _spool(tmp_path)
    spool.add(_batch(1))
    assert _drain(spool) == [1]


def test_nobody_else_may_read_a_spool(tmp_path: Path) -> None:
    """Bodies of calls are in it."""
    _spool(tmp_path).add(_batch(1))
    assert (tmp_path / "spool").stat().st_mode & 0o077 == 0
