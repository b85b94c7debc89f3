"""Decide what of a message a destination may see: filters, in order, as typed JSON.

In: a message and the filters of one destination. Out: the message, with fewer fields perhaps, or
why it was dropped. A filter that goes wrong drops the message: privacy comes first. Pure.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from headwater.base.errors import InvalidInputError
from headwater.destinations.checking import read_as
from headwater.destinations.conditions import ALWAYS, Condition, holds
from headwater.destinations.paths import check_path, keep_fields, remove_fields
from headwater.model import Message

MOST_FILTERS = 10
_LONGEST_NAME = 64
_MOST_FIELDS = 500
_OPEN = ("traits", "properties", "context")
"""What clients fill as they like; `allow` decides about these."""
_ENVELOPE = (
    "type", "event", "name", "category", "userId", "anonymousId", "groupId", "previousId",
    "messageId", "timestamp", "originalTimestamp", "sentAt", "receivedAt", "integrations",
    "channel", "version",
)  # fmt: skip
_NEEDED = frozenset({"type", "messageId"})


class _Filter(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind",
              forbid_unknown_fields=True):  # fmt: skip
    """What all filters have; `kind` names the sort."""

    name: str = ""
    enabled: bool = True

    def __post_init__(self) -> None:
        if len(self.name) > _LONGEST_NAME:
            raise ValueError(f"A name has {_LONGEST_NAME} characters at most")


class Drop(_Filter, frozen=True, kw_only=True, tag="drop"):
    """Messages that meet a condition are not sent."""

    when: Condition


class Only(_Filter, frozen=True, kw_only=True, tag="only"):
    """Nothing but messages that meet a condition is sent."""

    when: Condition


class Sample(_Filter, frozen=True, kw_only=True, tag="sample"):
    """Of messages that meet a condition a share is sent, always the same; others all are."""

    share: float
    """Between 0 and 1."""
    by: Literal["message", "user"] = "message"
    """`user`: all messages of a user, or none."""
    when: Condition = ALWAYS

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.share <= 1:
            raise ValueError("`share` is a number from 0 to 1")


class AllowFields(_Filter, frozen=True, kw_only=True, tag="allow"):
    """Of `traits`, `properties` and `context` nothing but these fields is sent."""

    fields: tuple[str, ...]
    when: Condition = ALWAYS

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_fields(self.fields)
        for path in self.fields:
            if path.partition(".")[0] not in _OPEN:
                raise ValueError(f"`fields` begin with {', '.join(_OPEN)}; {path} does not")


class BlockFields(_Filter, frozen=True, kw_only=True, tag="block"):
    """These fields are not sent."""

    fields: tuple[str, ...]
    when: Condition = ALWAYS

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_fields(self.fields)
        for path in self.fields:
            if path in _NEEDED:
                raise ValueError(f"No message can do without {path}")


Filter = Drop | Only | Sample | AllowFields | BlockFields


class Dropped(msgspec.Struct, frozen=True, kw_only=True):
    """Why a destination does not get a message."""

    reason: Literal["unsupported", "filter", "filter_error", "no_mapping"]
    detail: str = ""
    """For people: which filter, what went wrong."""


def read_filters(value: Any, field: str = "filters") -> tuple[Filter, ...]:
    """Read filters from JSON; an error names the field that is wrong."""
    filters = read_as(tuple[Filter, ...], value, field)
    if len(filters) > MOST_FILTERS:
        raise InvalidInputError(f"A destination has {MOST_FILTERS} filters at most.", field=field)
    return filters


def apply_filters(filters: Sequence[Filter], message: Message) -> Message | Dropped:
    """Return what a destination may see of a message."""
    for position, one in enumerate(filters, start=1):
        if not one.enabled:
            continue
        name = one.name or f"filter {position}"
        try:
            passing = _apply(one, message)
        except Exception as err:  # noqa: BLE001 - whatever it is, the message must not pass
            return Dropped(reason="filter_error", detail=f"{name}: {type(err).__name__}: {err}")
        if passing is None:
            return Dropped(reason="filter", detail=name)
        message = passing
    return message


def _apply(one: Filter, message: Message) -> Message | None:
    if not holds(one.when, message.body):
        return None if isinstance(one, Only) else message
    match one:
        case Drop():
            return None
        case Only():
            return message
        case Sample():
            return message if _draw(one, message) < one.share else None
        case AllowFields():
            return _with_body(message, keep_fields(message.body, (*_ENVELOPE, *one.fields)))
        case BlockFields():
            return _with_body(message, remove_fields(message.body, one.fields))


def _draw(sample: Sample, message: Message) -> float:
    """Return a number from 0 up to 1 that is always the same for the same message or user."""
    key = message.message_id
    if sample.by == "user":
        key = message.user_id or message.anonymous_id or key
    digest = hashlib.blake2b(key.encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big") / 2**48


def _with_body(message: Message, body: dict[str, Any]) -> Message:
    """Ids that are no longer in the body must not come along beside it."""
    return msgspec.structs.replace(
        message,
        body=body,
        user_id=message.user_id if "userId" in body else "",
        anonymous_id=message.anonymous_id if "anonymousId" in body else "",
    )


def _check_fields(fields: Sequence[str]) -> None:
    if len(fields) > _MOST_FIELDS:
        raise ValueError(f"`fields` are {_MOST_FIELDS} at most")
    for path in fields:
        try:
            check_path(path)
        except InvalidInputError as err:
            raise ValueError(err.message.rstrip(".")) from err
