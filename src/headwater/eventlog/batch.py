"""Read one run of entries from a NATS stream, without any state on the server.

In: where to begin and how much. Out: entries, never more than an unbroken run: what JetStream
skipped is left for the reader to stumble over.
"""

import asyncio
import contextlib
from datetime import datetime

import msgspec
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from headwater.base.errors import UnavailableError
from headwater.eventlog.link import Session
from headwater.eventlog.packing import count_records, unpack, unpacked_bytes
from headwater.eventlog.port import Entry

_FETCH_S = 10.0
_MOST_BYTES = 32_000_000
"""JetStream drops a reader that lets 64 MB wait."""
_END, _NOTHING = "204", "404"


class Wanted(msgspec.Struct):
    """A direct get of several messages, as JetStream spells it."""

    seq: int
    batch: int
    max_bytes: int


async def fetch_run(session: Session, stream: str, wanted: Wanted) -> list[Entry]:
    """Return the entries from `wanted.seq` on, up to the first one missing; [] if that is it."""
    wanted.max_bytes = min(wanted.max_bytes, _MOST_BYTES)
    answer = _Answer()
    inbox = session.client.new_inbox()
    subscription = await session.client.subscribe(inbox, cb=answer.take)
    try:
        ask = f"$JS.API.DIRECT.GET.{stream}"
        await session.client.publish(ask, msgspec.json.encode(wanted), reply=inbox)
        await session.wait(answer.complete, _FETCH_S)
    finally:
        with contextlib.suppress(NatsError):  # with a lost connection it is gone anyway
            await subscription.unsubscribe()
    # Unpacking takes a while; a thread leaves the event loop to those who wait for it.
    return await asyncio.to_thread(_run_from, wanted.seq, answer.entries, wanted.max_bytes)


class _Answer:
    """Fills until `complete` is done."""

    def __init__(self) -> None:
        self.complete: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.entries: list[Entry] = []
        """As the server keeps them: packed."""

    async def take(self, message: Msg) -> None:
        headers = message.headers or {}
        status = headers.get("Status")
        if status is None:
            self.entries.append(_to_entry(message.data, headers))
        elif self.complete.done():
            return
        elif status in {_END, _NOTHING}:
            self.complete.set_result(None)
        else:
            self.complete.set_exception(
                UnavailableError(f"The log's server cannot read now (status {status}).")
            )


def _run_from(first: int, packed: list[Entry], max_bytes: int) -> list[Entry]:
    """Return an unbroken run, unpacked, of `max_bytes`: the server counted packed ones."""
    run: list[Entry] = []
    for entry in packed:
        max_bytes -= unpacked_bytes(entry.data)
        if entry.offset != first + len(run) or (run and max_bytes < 0):
            break
        data = unpack(entry.data)
        run.append(msgspec.structs.replace(entry, data=data, records=count_records(data)))
    return run


def _to_entry(data: bytes, headers: dict[str, str]) -> Entry:
    return Entry(
        offset=int(headers["Nats-Sequence"]),
        data=data,
        appended_at=datetime.fromisoformat(headers["Nats-Time-Stamp"]),
    )
