"""Tell when a profile changed, from its merge state.

In: a stored state. Out: for each update that still shows, its time and the values it set. A value
that a later update replaced is not told: the state keeps the newest only. Pure.
"""

from collections import defaultdict
from datetime import datetime
from typing import Any

import msgspec

from headwater.profiles.merge import ProfileState


class ProfileChange(msgspec.Struct, frozen=True, kw_only=True):
    """What one update set."""

    at: datetime
    update_id: str
    fields: dict[str, Any]
    """Dotted paths to raw JSON values."""


def read_changes(state: bytes) -> list[ProfileChange]:
    """Return the updates that still show in a stored state, oldest first."""
    groups: defaultdict[tuple[datetime, str], dict[str, Any]] = defaultdict(dict)
    for leaf in msgspec.json.decode(state, type=ProfileState).leaves:
        groups[leaf.at, leaf.by][".".join(leaf.path)] = leaf.value
    return [
        ProfileChange(at=at, update_id=update_id, fields=fields)
        for (at, update_id), fields in sorted(groups.items(), key=lambda item: item[0])
    ]
