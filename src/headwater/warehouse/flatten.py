"""Turn nested JSON objects into flat columns.

In: one object of a message (traits, properties or context). Out: pairs of column and value, in
document order. Pure. Objects nest into names, arrays become JSON text, null is no value.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from headwater.warehouse.naming import to_snake


def flatten(fields: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Return `(column, value)` for each leaf that is not null.

    A key without any letter or digit adds nothing to the name; a leaf left without a name of its
    own is dropped.
    """
    found: list[tuple[str, Any]] = []
    _walk(fields, prefix, found)
    return found


def _walk(fields: Mapping[str, Any], prefix: str, found: list[tuple[str, Any]]) -> None:
    for key, value in fields.items():
        if value is None:
            continue
        column, has_name = _join(prefix, key)
        kind = type(value)
        if kind is dict:
            _walk(value, column, found)
        elif has_name:
            text = msgspec.json.encode(value).decode() if kind is list else value
            found.append((column, text))


@lru_cache(maxsize=65_536)
def _join(prefix: str, key: str) -> tuple[str, bool]:
    """Return the name, and whether the key added to it."""
    word = to_snake(key)
    return (f"{prefix}_{word}" if prefix and word else prefix or word), bool(word)
