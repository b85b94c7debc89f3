"""Keep batches until the collector has them: in memory, or in a folder that outlives the process.

In: batches. Out: the oldest one, to be tried; it comes back, or is dropped when it was taken. Both
are bounded in bytes, and the oldest batches make room. Nothing here waits for another process.
"""

import contextlib
import hashlib
import os
import re
import sys
import time
from collections import deque
from itertools import count
from pathlib import Path
from typing import BinaryIO, Protocol

from headwater.middleware.batch import Batch
from headwater.middleware.options import Options
from headwater.middleware.trouble import Trouble

if sys.platform != "win32":
    import fcntl

_DISK_BLOCK_BYTES = 4_096
_STALE_AFTER_S = 60.0
_PARTIAL = ".partial"
_NAME = re.compile(r"(?P<made_at_us>\d{17})-\d+-\d+-(?P<events>\d+)\.json\.gz")
"""When it was made, the process, its number there, and how many events."""


class Backlog(Protocol):
    """What the sender needs of it."""

    def add(self, batch: Batch) -> int:
        """Keep a batch; return how many events were forgotten to make room."""

    def take(self) -> Batch | None:
        """Return the oldest batch that nobody else is sending."""

    def give_back(self, batch: Batch) -> None:
        """Keep it for later after all."""

    def drop(self, batch: Batch) -> None:
        """Forget it: it has arrived, or never will."""


def open_backlog(options: Options, trouble: Trouble) -> Backlog:
    """Return the backlog that the options ask for."""
    if options.spool_dir is None:
        return Memory(options.backlog_bytes)
    whose = f"{options.url}\n{options.application_id}".encode()
    folder = Path(options.spool_dir) / hashlib.sha256(whose).hexdigest()[:16]
    return Spool(folder, options.backlog_bytes, trouble)


class Memory:
    """Batches of this process, gone with it."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._batches: deque[Batch] = deque()
        self._size_bytes = 0

    def add(self, batch: Batch) -> int:
        forgotten = 0
        while self._batches and self._size_bytes + len(batch.packed) > self._limit_bytes:
            oldest = self._batches.popleft()
            self._size_bytes -= len(oldest.packed)
            forgotten += oldest.events
        self._batches.append(batch)
        self._size_bytes += len(batch.packed)
        return forgotten

    def take(self) -> Batch | None:
        return self._batches[0] if self._batches else None

    def give_back(self, batch: Batch) -> None:
        """It never left."""

    def drop(self, batch: Batch) -> None:
        self._batches.remove(batch)
        self._size_bytes -= len(batch.packed)


class Spool:
    """One file a batch, in a folder that processes share; a lock on the file says who sends it.

    Files appear by renaming, so nobody reads half of one. A process that dies lets go of its lock,
    and another one sends the batch: twice at worst, under the same transaction ids.
    """

    def __init__(self, folder: Path, limit_bytes: int, trouble: Trouble) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._trouble = trouble
        self._numbers = count()
        self._held: dict[int, tuple[Path, BinaryIO]] = {}
        self._memory = Memory(limit_bytes)
        """For when the disk will not have it."""

    def add(self, batch: Batch) -> int:
        try:
            return self._write(batch)
        except OSError as error:
            self._trouble.warn("The spool cannot be written, so batches wait in memory", error)
            return self._memory.add(batch)

    def take(self) -> Batch | None:
        for path in self._paths():
            with contextlib.suppress(OSError):  # another process has it, or has sent it
                file = _open_locked(path)
                batch = Batch(file.read(), _part(path, "events"), _part(path, "made_at_us") / 1e6)
                self._held[id(batch)] = (path, file)
                return batch
        return self._memory.take()

    def give_back(self, batch: Batch) -> None:
        if id(batch) in self._held:
            _unlock(self._held.pop(id(batch))[1])

    def drop(self, batch: Batch) -> None:
        if id(batch) not in self._held:
            self._memory.drop(batch)
            return
        path, file = self._held.pop(id(batch))
        path.unlink(missing_ok=True)
        _unlock(file)

    def _write(self, batch: Batch) -> int:
        if not self._folder.is_dir():
            self._folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        forgotten = self._make_room(len(batch.packed))
        made_at_us = int(batch.made_at_s * 1e6)
        name = f"{made_at_us:017d}-{os.getpid()}-{next(self._numbers)}-{batch.events}.json.gz"
        partial = self._folder / f"{name}{_PARTIAL}"
        partial.write_bytes(batch.packed)
        partial.replace(self._folder / name)
        return forgotten

    def _make_room(self, needed_bytes: int) -> int:
        paths = self._paths()
        sizes = [_size_bytes(path) for path in paths]
        excess_bytes = sum(sizes) + needed_bytes + _DISK_BLOCK_BYTES - self._limit_bytes
        forgotten = 0
        for path, size_bytes in zip(paths, sizes, strict=True):
            if excess_bytes <= 0:
                break
            path.unlink(missing_ok=True)
            excess_bytes -= size_bytes
            forgotten += _part(path, "events")
        return forgotten

    def _paths(self) -> list[Path]:
        """Return the batches, the oldest first; remove what a dead process was about to write."""
        found = []
        with contextlib.suppress(OSError):  # no folder yet, or none at all
            for path in self._folder.iterdir():
                if _NAME.fullmatch(path.name):
                    found.append(path)
                elif path.name.endswith(_PARTIAL):
                    _remove_stale(path)
        return sorted(found)


def _part(path: Path, name: str) -> int:
    found = _NAME.fullmatch(path.name)
    return int(found[name]) if found else 0


def _remove_stale(path: Path) -> None:
    with contextlib.suppress(OSError):
        if time.time() - path.stat().st_mtime > _STALE_AFTER_S:
            path.unlink()


def _size_bytes(path: Path) -> int:
    """Return what the file takes on the disk, about; so a number of tiny ones is bounded too."""
    try:
        return path.stat().st_size + _DISK_BLOCK_BYTES
    except FileNotFoundError:
        return 0


def _open_locked(path: Path) -> BinaryIO:
    file = path.open("rb")
    if sys.platform != "win32":  # there each process needs a folder of its own
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.stat()  # gone: another process has sent it since we listed it
        except OSError:
            file.close()
            raise
    return file


def _unlock(file: BinaryIO) -> None:
    if sys.platform != "win32":
        fcntl.flock(file, fcntl.LOCK_UN)  # closing is not enough: a forked child may have it open
    file.close()
