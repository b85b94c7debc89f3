"""Turn nested JSON objects into flat columns.

In: one object of a message (traits, properties or context). Out: columns and values in a row, in
document order. Pure. Objects nest into names, arrays become JSON text, null is no value.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import msgspec

from headwater.warehouse.naming import shorten, to_snake

_MOST_KEYS = 65_536
"""Remembered: whoever sends ever new keys costs time, not memory."""


class _Name:
    """One key below another, and what its column is called; empty: no leaf can be called so."""

    __slots__ = ("below", "column", "is_reserved", "path")

    def __init__(self, path: str, column: str, *, is_reserved: bool) -> None:
        self.path = path
        self.column = column
        self.is_reserved = is_reserved
        self.below: dict[str, _Name] = {}


class Flattener:
    """Knows the columns of the keys that it met: messages of one batch are much alike."""

    def __init__(
        self, prefix: str = "", longest: int = 127, reserved: Collection[str] = ()
    ) -> None:
        self._top = _Name(prefix, "", is_reserved=False)
        self._longest = longest
        self._reserved = frozenset(reserved)
        self._room = _MOST_KEYS

    def put(
        self, fields: Mapping[str, Any], row: dict[str, Any], clash: Callable[[str, Any], None]
    ) -> None:
        """Put each leaf that is not null into `row`.

        One whose column is there already, or is reserved, is given to `clash` instead. A key
        without any letter or digit adds nothing to the name; a leaf left without a name of its own
        is dropped.
        """
        self._walk(self._top, fields, row, clash)

    def _walk(
        self,
        parent: _Name,
        fields: Mapping[str, Any],
        row: dict[str, Any],
        clash: Callable[[str, Any], None],
    ) -> None:
        known = parent.below
        for key, value in fields.items():
            if value is None:
                continue
            name = known.get(key) or self._learn(parent, key)
            kind = type(value)
            if kind is dict:
                self._walk(name, value, row, clash)
            elif column := name.column:
                leaf = msgspec.json.encode(value).decode() if kind is list else value
                if name.is_reserved or column in row:
                    clash(column, leaf)
                else:
                    row[column] = leaf

    def _learn(self, parent: _Name, key: str) -> _Name:
        word = to_snake(key)
        path = f"{parent.path}_{word}" if parent.path and word else parent.path or word
        column = shorten(path, self._longest) if word else ""
        name = _Name(path, column, is_reserved=column in self._reserved)
        if self._room:
            self._room -= 1
            parent.below[key] = name
        return name
