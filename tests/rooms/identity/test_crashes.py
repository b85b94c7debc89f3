"""Killed at each of its crash points, identity ends with every call where it belongs, once."""

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.rooms.identity.crashing_history import RANGES
from tests.rooms.identity.world import (
    World,
    expected_derived,
    expected_owners,
    read_derived,
    stored_owners,
)

_ROOT = Path(__file__).parents[3]


def _run(data: Path, ranges: int, crash_at: str = "") -> int:
    path = os.pathsep.join([str(_ROOT), str(_ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "tests.rooms.identity.crashing_history", str(data), str(ranges)],
        env=os.environ | {"PYTHONPATH": path, "HEADWATER_CRASH_AT": crash_at},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode in {0, 137}, done.stderr
    return done.returncode


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ranges", "crashes"),
    [
        (2, ["identity.moved:1"]),
        (4, ["world.learned:2", "world.stored:1", "identity.pending:1", "identity.done:1"]),
        (5, ["profiles.history:1", "identity.half:1", "identity.wiped:1", "identity.moved:8"]),
    ],
)
async def test_crashes_change_no_outcome(tmp_path: Path, ranges: int, crashes: list[str]) -> None:
    """In the end every call is there once, its owner is right, and every table knows it."""
    for crash in crashes:
        assert _run(tmp_path, ranges, crash) == 137
    assert _run(tmp_path, ranges) == 0
    told = [record for records in RANGES[:ranges] for record in records]
    with closing(World(tmp_path)) as world:
        assert await stored_owners(world.store, "app_1") == expected_owners(told)
        assert await read_derived(world.store, "app_1") == expected_derived(told)
        people = await world.profiles.people("app_1", ["ann", "cy"])
        speaker = {2: "ann", 4: "cy", 5: "ann"}[ranges]
        assert {user for user, person in people.items() if person.locale} == {speaker}
