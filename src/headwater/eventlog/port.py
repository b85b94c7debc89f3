"""The port of the durable log: append, read, trim.

In: bytes for a stream. Out: an offset, given only after the bytes are safe on disk (on a majority,
in a cluster). Readers keep their own position; the log never decides what was consumed.
"""

from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

MAX_ENTRY_BYTES = 8 * 1024 * 1024 - 4096
"""Most bytes of one entry; a server's limit counts the headers too."""


class Stream(StrEnum):
    """What flows: house one's records and house two's messages."""

    CALLS = "calls"
    MESSAGES = "messages"


class Entry(msgspec.Struct, frozen=True):
    """One appended block of records."""

    offset: int
    data: bytes
    appended_at: datetime
    records: int = 0
    """How many lines `data` has; 0 when nobody counted."""


class LogState(msgspec.Struct, frozen=True):
    """Where a stream begins and ends."""

    first_offset: int
    """Offset of the oldest entry; last_offset + 1 when empty."""
    last_offset: int
    """0 when nothing was ever appended."""
    deleted: int
    """Entries missing between first and last: must be 0."""
    bytes_on_disk: int


class EventLog(Protocol):
    """What rooms may ask of the log; `UnavailableError` when it cannot be reached or is full."""

    async def append(self, stream: Stream, data: bytes) -> int:
        """Return the offset after `data` is durable; offsets begin at 1 and never come twice.

        Raises `TooLargeError` above `MAX_ENTRY_BYTES`.
        """
        ...

    async def read(
        self, stream: Stream, first: int, *, max_entries: int, max_bytes: int, wait_s: float
    ) -> list[Entry]:
        """Return entries from `first` on, in order and without a gap; [] after `wait_s` of silence.

        At least one entry comes, however large, and never more than `max_entries`.

        Raises `CorruptError` when the entry `first` should be there and is not: it was lost, it
        was trimmed (a new reader begins at `state().first_offset`), or `first` lies more than one
        behind the end, so that the log must have lost its tail. A reader never steps over a gap.
        """
        ...

    async def state(self, stream: Stream) -> LogState:
        """Return where the stream begins and ends."""
        ...

    async def trim(self, stream: Stream, keep_from: int) -> None:
        """Forget entries before `keep_from`; the next offset stays what it is."""
        ...

    async def check(self) -> None:
        """Prove that the log takes writes; raise `UnavailableError` if not."""
        ...

    async def close(self) -> None:
        """Let go of the connection (and of the server, when it is our child)."""
        ...
