"""A load that is killed leaves no half table, and repeating it leaves every row once."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from headwater.warehouse import show_settings
from tests.rooms.warehouse.one_sync import USERS
from tests.rooms.warehouse.places import PostgresPlace, postgres_settings
from tests.rooms.warehouse.support import SCHEMA, File

MESSAGES = 60
BATCH = 20
POINTS = ("batch_begun", "widened:2", "calls_merged", "latest_merged")
KILLED = 137


def _start(folder: Path, crash_at: str = "", *place: str) -> subprocess.Popen[bytes]:
    command = ["tests.rooms.warehouse.one_sync", str(folder), str(MESSAGES), *place]
    return subprocess.Popen(
        [sys.executable, "-m", *command],
        env={**os.environ, "HEADWATER_CRASH_AT": crash_at},
        stdout=subprocess.DEVNULL,
    )


def _check_everything_is_there_once(file: File) -> None:
    calls = file.table("identifies")
    assert sorted(row["id"] for row in calls) == sorted(f"m{n}" for n in range(MESSAGES))
    assert sorted(row["id"] for row in file.table("users")) == [f"u{n}" for n in range(USERS)]
    newest = {f"u{n % USERS}": n + 0.5 for n in range(MESSAGES - USERS, MESSAGES)}
    assert {row["id"]: row["score"] for row in file.table("users")} == newest
    assert not any("staging" in name for name in file.tables())


@pytest.mark.slow
def test_killed_at_each_point_then_repeated(tmp_path: Path) -> None:
    """Died after the range was written down, before and after each merge; then whole."""
    for point in POINTS:
        assert _start(tmp_path, f"warehouse.{point}").wait() == KILLED, point
        _check_no_half_batch(File(tmp_path))
    assert _start(tmp_path).wait() == 0
    _check_everything_is_there_once(File(tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1])
def test_killed_at_any_instant_then_repeated(tmp_path: Path, seed: int) -> None:
    """Killed from outside, again and again, whatever it was doing."""
    draw = random.Random(seed)
    for _ in range(3):
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


@pytest.mark.slow
def test_killed_while_loading_a_server(tmp_path: Path) -> None:
    """PostgreSQL: dead at each point, between and beside transactions; then each row once."""
    its = postgres_settings()
    settings = json.dumps({**show_settings(its), "password": its.password})
    for point in POINTS:
        died = _start(tmp_path, f"warehouse.{point}", "postgres", settings).wait()
        assert died == KILLED, point
    assert _start(tmp_path, "", "postgres", settings).wait() == 0
    place = PostgresPlace(its, SCHEMA, tmp_path)
    calls = place.table("identifies")
    assert sorted(row["id"] for row in calls) == sorted(f"m{n}" for n in range(MESSAGES))
    newest = {f"u{n % USERS}": n + 0.5 for n in range(MESSAGES - USERS, MESSAGES)}
    assert {row["id"]: row["score"] for row in place.table("users")} == newest
