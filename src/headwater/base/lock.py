"""Let one process at a time use a data directory.

In: a path. Out: a lock held until it is closed or the process ends, however it ends. The operating
system frees it, so there is never a stale lock to remove by hand.
"""

import fcntl
import os
from pathlib import Path

from headwater.base.errors import ConflictError


class DirectoryLock:
    """Holds `<directory>/serve.lock`."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "serve.lock"
        self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as err:
            owner = os.pread(self._handle, 20, 0).decode("ascii", "replace").strip()
            os.close(self._handle)
            raise ConflictError(
                f"Another Headwater (pid {owner or 'unknown'}) is running on {directory}.",
                hint="Stop it first, or give this one another directory with --data.",
            ) from err
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, str(os.getpid()).encode(), 0)

    def close(self) -> None:
        os.close(self._handle)


def is_locked(directory: Path) -> bool:
    """Tell whether a process is using the directory now."""
    path = directory / "serve.lock"
    if not path.exists():
        return False
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(handle)
