"""Change one entry of a destination's filters or mappings, as forms do.

In: the entries as JSON, a position, a new entry. Out: the whole list, for its check.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from headwater.base.errors import InvalidInputError, NotFoundError
from headwater.destinations import Changes, Instance, change_destination
from headwater.web.services import Services

Entries = list[dict[str, Any]]
NEW = "new"
"""Stands for the position behind the last."""


def as_json(entries: Sequence[Any]) -> Entries:
    """Return filters or mappings as they are sent to be checked."""
    found: Entries = msgspec.to_builtins(list(entries))
    return found


def position_of(entries: Sequence[Any], text: str) -> int:
    """Return the position that a path names; behind the last for a new one."""
    if text == NEW:
        return len(entries)
    if not (text.isascii() and text.isdigit()) or int(text) >= len(entries):
        raise NotFoundError("It is no longer there.", hint="Somebody may have removed it.")
    return int(text)


def put(entries: Entries, position: int, entry: dict[str, Any]) -> Entries:
    """Return the entries with one replaced or added."""
    return [*entries[:position], entry, *entries[position + 1 :]]


def act(entries: Entries, position: int, what: str) -> Entries:
    """Return the entries after one was switched, moved up or removed."""
    entry, before, after = entries[position], entries[:position], entries[position + 1 :]
    match what:
        case "switch":
            return [*before, {**entry, "enabled": not entry.get("enabled", True)}, *after]
        case "up":
            return [*before[:-1], entry, *before[-1:], *after]
        case "remove":
            return [*before, *after]
    raise InvalidInputError(f"{what!r} cannot be done.", field="do")


async def save(services: Services, instance: Instance, changes: Changes) -> None:
    """Check and store the new list."""
    await services.configdb.run(
        change_destination, services.vault, services.egress, instance.id, changes
    )


def field_within(field: str, list_name: str, position: int) -> str:
    """Return which field of the entry an error names: `when` of `filters[2].when.op`."""
    prefix = f"{list_name}[{position}]"
    return field.removeprefix(prefix).removeprefix(".") if field.startswith(prefix) else field
