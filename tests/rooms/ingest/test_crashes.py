"""Killed at each of its crash points, ingest ends with every call stored exactly once."""

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from headwater.base.settings import EventStoreSettings
from headwater.eventstore import EventStore
from headwater.profiles import Profiles
from tests.rooms.ingest.crashing_river import CALLS_EACH, ENTRIES
from tests.rooms.ingest.river import each_table_knows, read_totals

_ROOT = Path(__file__).parents[3]


def _run(data: Path, crash_at: str = "") -> int:
    path = os.pathsep.join([str(_ROOT), str(_ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "tests.rooms.ingest.crashing_river", str(data)],
        env=os.environ | {"PYTHONPATH": path, "HEADWATER_CRASH_AT": crash_at},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode in {0, 137}, done.stderr
    return done.returncode


_CRASHES = ("pending:1", "inserted:1", "folded:1", "done:1", "inserted:2")


async def test_crashes_lose_nothing_and_repeat_nothing(tmp_path: Path) -> None:
    """Five deaths, then every table knows every call once; actions, rejects, profiles too."""
    for crash in _CRASHES:
        assert _run(tmp_path, f"ingest.{crash}") == 137
    assert _run(tmp_path) == 0
    with closing(EventStore.open(EventStoreSettings(), tmp_path)) as store:
        assert await read_totals(store) == each_table_knows(ENTRIES * CALLS_EACH)
        [rejects] = await store.select("SELECT count() AS n FROM rejects")
        assert rejects["n"] == ENTRIES
        actions = await store.select("SELECT action_id FROM actions ORDER BY action_id")
        assert [row["action_id"] for row in actions] == [f"action_{n}" for n in range(ENTRIES)]
        people = await Profiles(store).people("app_1", ["user_1", "user_2"])
        assert people["user_2"].changed_offset == ENTRIES
        assert set(people["user_1"].doc["metadata"]) == {f"entry{n}" for n in range(ENTRIES)}
