"""Keep out what a source's rules do not let in, before anything is written.

In: normalised messages. Out: those that may enter, without the properties and traits that may not.
Rules come from memory; a change is noticed within `REFRESH_S`. Clients are not told: they would
only try again.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from headwater.base.clock import Clock
from headwater.configdb import ConfigDb
from headwater.model import Message
from headwater.sources import Kept, all_rules

REFRESH_S = 2.0
_NOTHING: frozenset[str] = frozenset()


class Rules:
    """The door's memory of what is not let in."""

    def __init__(self, configdb: ConfigDb, clock: Clock) -> None:
        self._configdb = configdb
        self._clock = clock
        self._kept: dict[str, Kept] = {}
        self._read_at_s: float | None = None

    async def apply(self, messages: Sequence[Message]) -> list[Message]:
        """Return what may enter."""
        now_s = self._clock.monotonic_s()
        if self._read_at_s is None or now_s - self._read_at_s >= REFRESH_S:
            self._kept = await self._configdb.look(all_rules)
            self._read_at_s = now_s
        if not self._kept:
            return list(messages)
        return [
            cut
            for message in messages
            if (cut := _cut(message, self._kept.get(message.source_id))) is not None
        ]

    async def blocked_events(self, source_id: str) -> list[str]:
        """Return the names of `track` events that a browser need not send."""
        kept = (await self._configdb.look(all_rules)).get(source_id, Kept())
        return sorted(event for type_, event in kept.blocked if type_ == "track")


def event_of(message: Message) -> str:
    """Return the name of the event, page or screen; empty for the other types."""
    if message.type == "track":
        name = message.body.get("event")
    elif message.type in {"page", "screen"}:
        name = message.body.get("name")
    else:
        return ""
    return name if isinstance(name, str) else ""


def parts_of(message: Message) -> str:
    """Return under which name a message holds its properties or traits."""
    return "traits" if message.type in {"identify", "group"} else "properties"


def _cut(message: Message, kept: Kept | None) -> Message | None:
    if kept is None:
        return message
    about = (message.type, event_of(message))
    if about in kept.blocked:
        return None
    body = message.body
    # Traits of the user travel in the context of other messages, too.
    traits = kept.left_out.get(("identify", ""), _NOTHING)
    if traits and isinstance(context := body.get("context"), dict):
        body = {**body, "context": _without(context, "traits", traits)}
    body = _without(body, parts_of(message), kept.left_out.get(about, _NOTHING))
    return message if body is message.body else msgspec.structs.replace(message, body=body)


def _without(holder: dict[str, Any], part: str, names: frozenset[str]) -> dict[str, Any]:
    inner = holder.get(part)
    if not names or not isinstance(inner, dict) or names.isdisjoint(inner):
        return holder
    return {**holder, part: {name: value for name, value in inner.items() if name not in names}}
