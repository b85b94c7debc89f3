"""A sync that is killed at its worst instants loses nobody and sends nobody's window twice."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.rooms.extensions.crashing_sync import USERS
from tests.rooms.extensions.room import messages, repeated
from tests.support.server import environment
from tests.support.webhook import Receiver

_ROOT = Path(__file__).parents[3]
_DIED = 137


async def _run(data: Path, url: str, crash_at: str = "") -> int:
    env = environment({"HEADWATER_CRASH_AT": crash_at} if crash_at else None)
    env["PYTHONPATH"] = f"{env['PYTHONPATH']}:{_ROOT}"
    program = [sys.executable, "-m", "tests.rooms.extensions.crashing_sync", str(data), url]
    process = await asyncio.create_subprocess_exec(
        *program, env=env, stdout=asyncio.subprocess.DEVNULL
    )
    return await process.wait()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("point", "passes", "most_repeated"),
    [("extensions.outbox", 2, 0), ("extensions.sent", 1, 5), ("extensions.acked", 3, 5)],
)
async def test_after_a_crash_every_window_arrives(
    tmp_path: Path, receiver: Receiver, point: str, passes: int, most_repeated: int
) -> None:
    """Only what was on the wire comes again, with the id that receivers know: a page at most."""
    assert await _run(tmp_path, receiver.url, f"{point}:{passes}") == _DIED
    assert await _run(tmp_path, receiver.url) == 0
    by_id = {message["messageId"]: message["userId"] for message in messages(receiver)}
    assert sorted(by_id.values()) == list(USERS)
    assert len(repeated(receiver)) <= most_repeated
