"""Start a program that cannot outlive us.

In: a command, and descriptors that it shall inherit. Out: its pid, and word of its end. The guard
between us and it sees our end, even by `kill -9`; if the guard alone is killed, we see that.
"""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path

from headwater.base.errors import UnavailableError

_GUARD = Path(__file__).with_name("guard.py")
_STOP_S = 10.0


class Child:
    """A guarded process; `pid` is its own, not the guard's."""

    def __init__(self, guard: Process, pid: int) -> None:
        self._guard = guard
        self.pid = pid

    @classmethod
    async def start(cls, command: list[str], *, keep_open: tuple[int, ...] = ()) -> "Child":
        """Run `command` in a session of its own, so that Ctrl-C leaves it to us to stop it."""
        guard = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-I", "-S", str(_GUARD)),
            *command,
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            pass_fds=keep_open,
            start_new_session=True,
            env={},
        )
        assert guard.stdin is not None  # noqa: S101 - asked for above
        assert guard.stdout is not None  # noqa: S101 - asked for above
        try:
            line = await guard.stdout.readline()
        except asyncio.CancelledError:
            guard.stdin.close()  # the guard sees it, and ends what it may have started
            raise
        if not line:
            await guard.wait()
            raise UnavailableError(f"{command[0]} could not be started.")
        return cls(guard, int(line))

    async def wait(self) -> None:
        """Return when the process has ended."""
        await self._guard.wait()
        if (self._guard.returncode or 0) < 0:
            self._send_kill()  # the guard was killed alone: it took nobody along

    def kill(self) -> None:
        """End it at once; `wait()` tells when that is done."""
        self._send_kill()

    async def stop(self) -> None:
        """Ask it to end, and see that it does."""
        assert self._guard.stdin is not None  # noqa: S101 - asked for in start()
        self._guard.stdin.close()
        try:
            async with asyncio.timeout(_STOP_S):
                await self.wait()
        except TimeoutError:
            self.kill()
            await self.wait()

    def _send_kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
