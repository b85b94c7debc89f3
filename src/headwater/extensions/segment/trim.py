"""Make a message fit into what receivers take.

In: a message. Out: its JSON, at most 32 KB. What goes first is what helps least: the lists inside
the numbers, then free metadata, then the rest of the optional parts. The message says what is
missing, in `context.trimmed`. What says who the user is never goes: a message that is too large
even then is not sent.
"""

from collections.abc import Callable
from typing import Any

import msgspec

MOST_BYTES = 32_000
"""Below 32 KB however a receiver counts its kilobytes."""

_NUMBERS = ("last24HourAggResults", "dailyAggregation")
_LISTS = ("topErrors", "clients", "topEndpoints")
ORDER: tuple[tuple[str, ...], ...] = (
    *(("traits", numbers, part) for part in _LISTS for numbers in _NUMBERS),
    ("traits", "company", "metadata"),
    ("traits", "metadata"),
    ("traits", "campaign"),
    ("context", "campaign"),
    ("context", "location"),
    ("traits", "userAgent"),
    ("context", "userAgent"),
    ("context", "os"),
    ("context", "device"),
    ("context", "locale"),
    ("traits", "company", "companyDomain"),
    ("traits", "companyDomain"),
    ("traits", "name"),
    ("traits", "username"),
)


def encode_within_limit(
    message: dict[str, Any], finish: Callable[[dict[str, Any]], dict[str, Any]] = dict
) -> bytes | None:
    """Return the message as JSON, trimmed if it must be; None when nothing helps.

    `finish` gives the message its last form: what is trimmed goes by the names before.
    """
    encoded = msgspec.json.encode(finish(message))
    if len(encoded) <= MOST_BYTES:
        return encoded
    # Plain values, whatever it was made of.
    message = msgspec.json.decode(msgspec.json.encode(message))
    for path in ORDER:
        if len(encoded) <= MOST_BYTES:
            return encoded
        message = _without(message, path)
        encoded = msgspec.json.encode(finish(message))
    return encoded if len(encoded) <= MOST_BYTES else None


def _without(message: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    shorter: dict[str, Any] = _drop(message, path)
    if shorter is message:
        return message
    context = shorter["context"]
    trimmed = [*context.get("trimmed", []), ".".join(path[1:] if path[0] == "traits" else path)]
    return {**shorter, "context": {**context, "trimmed": trimmed}}


def _drop(tree: Any, path: tuple[str, ...]) -> Any:
    name, *rest = path
    if not isinstance(tree, dict) or name not in tree:
        return tree
    if not rest:
        return {key: value for key, value in tree.items() if key != name}
    inner = _drop(tree[name], tuple(rest))
    return tree if inner is tree[name] else {**tree, name: inner}
