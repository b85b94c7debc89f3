"""Destinations: the tools where messages go, one folder for each type.

In: settings that a person gave, and messages. Out: one outcome for each message. A destination
sends; when, how often and what it must not get is decided in `federation`.
"""

from headwater.destinations.contract import (
    Destination,
    Outcome,
    Parcel,
    Setting,
    judge_error,
    judge_reply,
)
from headwater.destinations.instances import (
    Instance,
    add_destination,
    get_destination,
    list_destinations,
    open_settings,
    set_destination_enabled,
    show_settings,
)
from headwater.destinations.registry import DESTINATIONS, find_destination

__all__ = [
    "DESTINATIONS",
    "Destination",
    "Instance",
    "Outcome",
    "Parcel",
    "Setting",
    "add_destination",
    "find_destination",
    "get_destination",
    "judge_error",
    "judge_reply",
    "list_destinations",
    "open_settings",
    "set_destination_enabled",
    "show_settings",
]
