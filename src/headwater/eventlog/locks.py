"""Let only one process at a time use a folder.

In: a lock file. Out: an open descriptor that holds the lock; the lock lasts until every process
that inherited the descriptor has closed it or ended, so no crash can leave it behind.
"""

import asyncio
import fcntl
import os
from pathlib import Path

from headwater.base.errors import ConflictError

_PAUSE_S = 0.05


async def hold_lock(path: Path, *, wait_s: float) -> int:
    """Return a descriptor that holds the lock; raise `ConflictError` if others hold it too long."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        async with asyncio.timeout(wait_s):
            while not _try_lock(descriptor):  # noqa: ASYNC110 - the kernel sends no event
                await asyncio.sleep(_PAUSE_S)
    except TimeoutError:
        holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
        os.close(descriptor)
        raise ConflictError(
            f"{path.parent} is in use by another process (pid {holder}).",
            hint="Stop that process, or choose another data directory.",
        ) from None
    except BaseException:
        os.close(descriptor)
        raise
    note_holder(descriptor, os.getpid())
    return descriptor


def note_holder(descriptor: int, pid: int) -> None:
    """Write down who holds the lock, for the message that others will see."""
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{pid}\n".encode(), 0)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
