"""Remember the highest offset that was acknowledged, outside of the server's own files.

In: each offset as it is acknowledged. Out: the highest one, after a restart too. A server whose
files were damaged may come back shorter and say nothing; it would then give the same offsets to
other entries. The mark is not fsynced: after a power cut it may lag behind, never run ahead.
"""

import os
import struct
from pathlib import Path

from headwater.eventlog.port import Stream

_NUMBER = struct.Struct("<Q")


class HighMark:
    """A small file: one number for each stream."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self._places = {stream: at * _NUMBER.size for at, stream in enumerate(Stream)}
        self._highest = {stream: self._read(place) for stream, place in self._places.items()}

    def highest(self, stream: Stream) -> int:
        """Return the highest offset ever acknowledged; 0 if none was."""
        return self._highest[stream]

    def put(self, stream: Stream, offset: int) -> None:
        """Note an acknowledged offset; they may come in any order."""
        if offset > self._highest[stream]:
            self._highest[stream] = offset
            os.pwrite(self._descriptor, _NUMBER.pack(offset), self._places[stream])

    def close(self) -> None:
        os.close(self._descriptor)

    def _read(self, place: int) -> int:
        number = os.pread(self._descriptor, _NUMBER.size, place)
        return int(_NUMBER.unpack(number)[0]) if len(number) == _NUMBER.size else 0
