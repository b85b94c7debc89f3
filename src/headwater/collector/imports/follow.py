"""Go on reading a log while it is written, as `tail -F` does.

In: the path of a file of plain lines. Out: whole lines as they come, and whether they begin a file:
a log that was renamed is read to its end before the new one begins; one that was cut begins anew.
Reads from the start each time: calls that are stored already are recognised by their ids.
"""

import os
from pathlib import Path
from typing import BinaryIO, NamedTuple

from headwater.base.errors import InvalidInputError

_PAGE_BYTES = 4_194_304
_PACKED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd")


class Followed(NamedTuple):
    """What has come since the last look."""

    block: bytes
    """Whole lines; empty when there is nothing new."""
    begins: bool
    """They are the first of a file."""


class Follower:
    """One path, whatever file is there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._rest = b""
        self._begins = True

    def read(self) -> Followed:
        """Return the next lines, at most a page of them."""
        block = self._read_on()
        if not block and self._is_replaced():
            # The last line of a file that nobody writes any more is whole without its end.
            last, begins = self._rest, self._begins
            self.close()
            if last:
                return Followed(last, begins)
            block = self._read_on()
        whole, end, self._rest = (self._rest + block).rpartition(b"\n")
        begins, self._begins = self._begins, self._begins and not end
        return Followed(whole, begins)

    def _read_on(self) -> bytes:
        if self._file is None:
            self._file = self._open()
        return self._file.read(_PAGE_BYTES) if self._file else b""

    def _open(self) -> BinaryIO | None:
        try:
            file = self._path.open("rb")
        except FileNotFoundError:
            return None  # between a renamed log and the new one
        if file.read(4).startswith(_PACKED):
            file.close()
            raise InvalidInputError(
                f"{self._path} is compressed; only plain files are followed.", field="files"
            )
        file.seek(0)
        return file

    def _is_replaced(self) -> bool:
        """Tell whether the path names another file by now, or this one was cut."""
        if self._file is None:
            return False
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return False
        own = os.fstat(self._file.fileno())
        return not os.path.samestat(own, found) or own.st_size < self._file.tell()

    def close(self) -> None:
        """Let go of the file; a line without its end is left for the next time."""
        if self._file is not None:
            self._file.close()
        self._file, self._rest, self._begins = None, b"", True
