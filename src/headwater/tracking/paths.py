"""Know the paths of the Tracking API, in every spelling that clients have for them.

In: a path. Out: what is asked for, or None when the path belongs to others. Pure. Base URLs are
written with and without `/v1`, with doubled and trailing slashes, and with a path too many.
"""

from typing import Literal

import msgspec

LONG = {
    **{name: name for name in ("identify", "track", "page", "screen", "group", "alias")},
    "batch": "",
    "import": "",
}
SHORT = {
    "i": "identify",
    "t": "track",
    "p": "page",
    "s": "screen",
    "g": "group",
    "a": "alias",
    "b": "",
}
"""What the browser library appends to a base that ends in `/v1`."""
METRICS = "m"
KEY_CHECK = "key-check"
_TYPES = frozenset(LONG) - {"batch", "import"}


class Route(msgspec.Struct, frozen=True):
    """What a path asks for."""

    what: Literal["messages", "pixel", "settings", "metrics", "key-check"]
    type: str = ""
    """Of the message; empty when each says it."""
    is_short: bool = False
    write_key: str = ""
    """Of `settings`."""


def read_path(path: str) -> Route | None:
    """Return what a path stands for."""
    parts = [part for part in path.split("/") if part]
    if parts[:1] == ["v1"]:
        del parts[0]
    match parts:
        case [name] | ["batch", "b" as name] if name in LONG or name in SHORT:
            type_ = LONG.get(name) or SHORT.get(name, "")
            return Route("messages", type=type_, is_short=name in SHORT)
        case ["pixel", name] if name in _TYPES:
            return Route("pixel", type=name)
        case ["projects", key, "settings"] | ["projects", "projects", key, "settings"]:
            return Route("settings", write_key=key)
        case [name] if name == METRICS:
            return Route("metrics")
        case [name] if name == KEY_CHECK:
            return Route("key-check")
    return None
