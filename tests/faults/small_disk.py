"""Make a disk so small that a test can fill it.

In: a folder and a size. Out: a file system of its own in that folder, in memory; gone afterwards.
Needs root on Linux.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import require

_PIECE_BYTES = 1 << 20


@contextmanager
def small_disk(folder: Path, size_bytes: int) -> Iterator["SmallDisk"]:
    """Mount a disk of `size_bytes` at `folder`."""
    is_root = sys.platform == "linux" and os.geteuid() == 0
    require(is_root, "root on Linux, to mount a small disk,")
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size_bytes},mode=700", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    require(done.returncode == 0, f"a mount ({done.stderr.strip()})")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


class SmallDisk:
    """A disk that can be filled to the last byte."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    @contextmanager
    def full(self) -> Iterator[None]:
        """Take every byte for the length of a block, also what others free meanwhile."""
        over = threading.Event()

        def fill_on() -> None:
            while not over.wait(0.05):
                self._fill()

        filling = threading.Thread(target=fill_on, name="filler")
        self._fill()
        filling.start()
        try:
            yield
        finally:
            over.set()
            filling.join()
            self._filler.unlink()

    def _fill(self) -> None:
        with self._filler.open("ab", buffering=0) as file:
            while room := self._free_bytes():
                try:
                    file.write(bytes(min(room, _PIECE_BYTES)))
                except OSError:
                    return

    def _free_bytes(self) -> int:
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize
