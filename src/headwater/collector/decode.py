"""Turn a request's body into items that are understood, and items that are not.

In: decompressed bytes. Out: one entry per item, in order; never fewer than were sent. Raises only
when nothing in the body is JSON. Pure.
"""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from headwater.base.errors import InvalidInputError
from headwater.collector.json_text import heal, read_json, split_items, too_deep
from headwater.collector.tolerance import as_object, read_event
from headwater.collector.wire import EventIn, NotUnderstood, Understood

T = TypeVar("T")

_EVENT = msgspec.json.Decoder(EventIn)
_EVENTS = msgspec.json.Decoder(list[EventIn])


def read_events(body: bytes) -> list[Understood | NotUnderstood]:
    """Return every event of a single post or a batch."""
    body = heal(body)
    try:
        if body.lstrip()[:1] == b"[":
            return [Understood(event) for event in _EVENTS.decode(body)]
        return [Understood(_EVENT.decode(body))]
    except (msgspec.MsgspecError, RecursionError):
        return _read_each(body, _read_event)


def read_objects(body: bytes) -> list[dict[str, object] | NotUnderstood]:
    """Return every JSON object of a single post or a batch."""
    return _read_each(heal(body), lambda item: as_object(read_json(item), "$"))


def _read_event(item: bytes) -> Understood:
    try:
        return Understood(_EVENT.decode(item))
    except (msgspec.MsgspecError, RecursionError):
        return read_event(item)


def _read_each(body: bytes, read: Callable[[bytes], T]) -> list[T | NotUnderstood]:
    results = [_read_one(item, read) for item in split_items(body)]
    broken = [r for r in results if isinstance(r, NotUnderstood) and r.error.facts.get("not_json")]
    if broken and len(broken) == len(results):
        raise broken[0].error
    return results


def _read_one(item: bytes, read: Callable[[bytes], T]) -> T | NotUnderstood:
    try:
        return read(item)
    except InvalidInputError as err:
        return NotUnderstood(item, err)
    except RecursionError:
        return NotUnderstood(item, too_deep())
