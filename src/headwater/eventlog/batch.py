"""Collect the answer to one read of a NATS stream.

In: messages of a direct-get batch. Out: entries. Never more than an unbroken run: what JetStream
skipped is left for the reader to stumble over.
"""

import asyncio
from datetime import datetime

from nats.aio.msg import Msg

from headwater.base.errors import UnavailableError
from headwater.eventlog.port import Entry

_END, _NOTHING = "204", "404"


class Batch:
    """Fills until `complete` is done."""

    def __init__(self) -> None:
        self.complete: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._entries: list[Entry] = []

    async def take(self, message: Msg) -> None:
        """Add a message, or see that it is the end of the answer."""
        headers = message.headers or {}
        status = headers.get("Status")
        if status is None:
            self._entries.append(_to_entry(message.data, headers))
        elif not self.complete.done():
            if status in {_END, _NOTHING}:
                self.complete.set_result(None)
            else:
                self.complete.set_exception(
                    UnavailableError(f"The log cannot be read: status {status}.")
                )

    def run_from(self, first: int) -> list[Entry]:
        """Return the entries first, first + 1, … up to the first one missing."""
        run: list[Entry] = []
        for entry in self._entries:
            if entry.offset != first + len(run):
                break
            run.append(entry)
        return run


def _to_entry(data: bytes, headers: dict[str, str]) -> Entry:
    return Entry(
        offset=int(headers["Nats-Sequence"]),
        data=data,
        appended_at=datetime.fromisoformat(headers["Nats-Time-Stamp"]),
    )
