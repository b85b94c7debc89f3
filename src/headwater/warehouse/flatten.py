"""Turn nested JSON objects into flat columns.

In: one object of a message (traits, properties or context). Out: pairs of column and value, in
document order. Pure. Objects nest into names, arrays become JSON text, null is no value.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from headwater.warehouse.naming import to_snake


def flatten(fields: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield `(column, value)` for each leaf that is not null.

    A key without any letter or digit adds nothing to the name; a leaf left without a name of its
    own is dropped.
    """
    for key, value in fields.items():
        if value is None:
            continue
        word = to_snake(key)
        if isinstance(value, dict):
            yield from flatten(value, _join(prefix, word))
        elif word:
            text = msgspec.json.encode(value).decode() if isinstance(value, list) else value
            yield _join(prefix, word), text


def _join(prefix: str, word: str) -> str:
    return f"{prefix}_{word}" if prefix and word else prefix or word
