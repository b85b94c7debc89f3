"""Keep the newest entries of a stream at hand, for readers that follow close behind.

In: entries that were acknowledged. Out: an unbroken run of them, or nothing: then the log itself is
asked. Only what is durable comes in, so a reader sees nothing here that a restart could take back.
Spares the server a read, and us the unpacking, of what this process has just sent.
"""

from headwater.eventlog.port import Entry

MOST_BYTES = 64_000_000


class Tail:
    """One stream's newest entries, up to some bytes."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._entries: dict[int, Entry] = {}
        """By offset, those that came first before the others."""
        self._room_bytes = most_bytes

    def put(self, entry: Entry) -> None:
        """Take in an entry; the ones that came first make room."""
        self._drop(entry.offset)
        self._entries[entry.offset] = entry
        self._room_bytes -= len(entry.data)
        while self._room_bytes < 0:
            self._drop(next(iter(self._entries)))

    def run(self, first: int, max_entries: int, max_bytes: int) -> list[Entry]:
        """Return entries from `first` on, up to the first one that is not here; at least one."""
        run: list[Entry] = []
        for offset in range(first, first + max_entries):
            entry = self._entries.get(offset)
            if entry is None or (run and len(entry.data) > max_bytes):
                break
            run.append(entry)
            max_bytes -= len(entry.data)
        return run

    def trim(self, keep_from: int) -> None:
        """Forget what the log forgets: entries before `keep_from`."""
        for offset in [offset for offset in self._entries if offset < keep_from]:
            self._drop(offset)

    def clear(self) -> None:
        """Forget all: the server may have lost what it told, and must be asked."""
        for offset in list(self._entries):
            self._drop(offset)

    def _drop(self, offset: int) -> None:
        entry = self._entries.pop(offset, None)
        self._room_bytes += len(entry.data) if entry else 0
