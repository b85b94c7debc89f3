"""A process that really is killed leaves no half table, and repeating it leaves every row once.

Deaths at named instants are played in `test_faults.py`, without processes.
"""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rooms.warehouse.one_sync import USERS
from tests.rooms.warehouse.support import SCHEMA, File

MESSAGES = 60
BATCH = 20
KILLS = 3
SEED = 1


def _start(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.rooms.warehouse.one_sync", str(folder), str(MESSAGES)],
        stdout=subprocess.DEVNULL,
    )


@pytest.mark.slow
def test_killed_at_any_instant_then_repeated(tmp_path: Path) -> None:
    """Killed from outside, again and again, whatever it was doing."""
    draw = random.Random(SEED)
    for _ in range(KILLS):
        process = _start(tmp_path)
        try:
            process.wait(timeout=draw.uniform(1.0, 4.5))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        _check_no_half_batch(File(tmp_path))
    assert _start(tmp_path).wait() == 0
    _check_everything_is_there_once(File(tmp_path))


def _check_no_half_batch(file: File) -> None:
    if not file.path.exists() or f"{SCHEMA}.identifies" not in file.tables():
        return
    calls = file.table("identifies")
    assert len(calls) == len({row["id"] for row in calls})
    assert len(calls) % BATCH == 0


def _check_everything_is_there_once(file: File) -> None:
    calls = file.table("identifies")
    assert sorted(row["id"] for row in calls) == sorted(f"m{n}" for n in range(MESSAGES))
    assert sorted(row["id"] for row in file.table("users")) == [f"u{n}" for n in range(USERS)]
    newest = {f"u{n % USERS}": n + 0.5 for n in range(MESSAGES - USERS, MESSAGES)}
    assert {row["id"]: row["score"] for row in file.table("users")} == newest
    assert not any("staging" in name for name in file.tables())
