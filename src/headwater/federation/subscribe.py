"""Decide which destination gets which message.

In: a message and a destination. Out: yes or no, by Segment's rules for `integrations`. Pure.
"""

from collections.abc import Sequence
from typing import Any

from headwater.destinations import Instance
from headwater.model import Message

_ALL = "All"


def is_due(message: Message, instance: Instance) -> bool:
    """Tell whether a message came from the destination's source while it was enabled."""
    return message.source_id == instance.source_id and message.received_at >= instance.enabled_at


def is_for(message: Message, instance: Instance) -> bool:
    """Tell whether its sender wants a message to go to a destination."""
    names = (instance.id, instance.name, instance.title, instance.type)
    return is_wanted(message.body.get("integrations", {}), names)


def is_wanted(integrations: dict[str, Any], names: Sequence[str]) -> bool:
    """Read `integrations`: the destination's own entry first, then `All`, else yes.

    An object counts as yes: it carries options. Names are case-sensitive.
    """
    for name in (*names, _ALL):
        if integrations.get(name) is not None:
            return integrations[name] is not False
    return True
