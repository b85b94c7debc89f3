"""Read the newest messages of a source back from the log.

In: the log. Out: a few messages, newest first. Only the end of the log is looked at: an older
message is found by its delivery, not here.
"""

import msgspec

from headwater.eventlog import EventLog, Stream, split_records
from headwater.model import Message
from headwater.sources import Forgotten

_LOOK_BACK_ENTRIES = 200
_MOST_BYTES = 4_000_000
MOST_RECENT = 500
"""More are never asked for: this is a look, not the archive."""
_decoder = msgspec.json.Decoder(Message)


async def recent_messages(
    log: EventLog,
    forgotten: Forgotten,
    source_id: str,
    *,
    type_: str = "",
    holding: str = "",
    most: int = 20,
) -> list[Message]:
    """Return the newest messages of a source, of one type if it is named, that hold a text."""
    await forgotten.keep_fresh()
    state = await log.state(Stream.MESSAGES)
    first = max(state.first_offset, state.last_offset + 1 - _LOOK_BACK_ENTRIES)
    found: list[Message] = []
    while first <= state.last_offset:
        entries = await log.read(
            Stream.MESSAGES,
            first,
            max_entries=_LOOK_BACK_ENTRIES,
            max_bytes=_MOST_BYTES,
            wait_s=0.5,
        )
        if not entries:
            break
        first = entries[-1].offset + 1
        messages = (_read(one) for entry in entries for one in split_records(entry.data))
        found += [
            one
            for one in messages
            if one is not None
            and one.source_id == source_id
            and not forgotten.hides(one)
            and _is(one, type_)
            and _holds(one, holding)
        ]
    return found[: -most - 1 : -1]


def _read(record: bytes) -> Message | None:
    """Return the message; what nobody can read is told where it is counted, not here."""
    try:
        return _decoder.decode(record)
    except msgspec.MsgspecError:
        return None


def _is(message: Message, type_: str) -> bool:
    return not type_ or message.type == type_


def _holds(message: Message, text: str) -> bool:
    """Look for a text in what was sent, whatever the case."""
    return not text or text.lower() in msgspec.json.encode(message.body).decode().lower()
