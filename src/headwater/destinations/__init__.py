"""Destinations: the tools where messages go, one folder for each type.

In: settings, filters and mappings that a person gave, and messages. Out: one outcome for each item
that a mapping made. A destination sends; when and how often is decided in `federation`.
"""

from headwater.destinations.conditions import ALWAYS, Condition, holds, of_type
from headwater.destinations.contract import (
    MESSAGE_TYPES,
    Action,
    ActionField,
    Choice,
    Destination,
    DestinationType,
    Forgets,
    Item,
    Parcel,
    Rotates,
    Setting,
    Values,
)
from headwater.destinations.fields import (
    FieldValue,
    FirstOfValue,
    IfExistsValue,
    ObjectValue,
    PathValue,
    StaticValue,
    TemplateValue,
)
from headwater.destinations.filters import Dropped, Filter, apply_filters, read_filters
from headwater.destinations.instances import (
    Changes,
    Instance,
    add_destination,
    change_destination,
    get_destination,
    list_destinations,
    open_settings,
    open_wire,
    remove_destination,
    rotate_secret,
    set_destination_enabled,
    show_settings,
)
from headwater.destinations.mappings import (
    Mapping,
    default_mappings,
    make_item,
    make_items,
    read_mappings,
)
from headwater.destinations.prepare import Plan, divide, plan_of, prepare
from headwater.destinations.recent import MOST_RECENT, recent_messages
from headwater.destinations.registry import DESTINATIONS, find_destination
from headwater.destinations.samples import as_test_message, sample_body
from headwater.destinations.settings import check_settings
from headwater.destinations.trial import Mapped, Trial, Tried, map_message, try_message
from headwater.destinations.wire import (
    Answer,
    Exchange,
    Outcome,
    Wire,
    judge_error,
    judge_reply,
)

__all__ = [
    "ALWAYS",
    "DESTINATIONS",
    "MESSAGE_TYPES",
    "MOST_RECENT",
    "Action",
    "ActionField",
    "Answer",
    "Changes",
    "Choice",
    "Condition",
    "Destination",
    "DestinationType",
    "Dropped",
    "Exchange",
    "FieldValue",
    "Filter",
    "FirstOfValue",
    "Forgets",
    "IfExistsValue",
    "Instance",
    "Item",
    "Mapped",
    "Mapping",
    "ObjectValue",
    "Outcome",
    "Parcel",
    "PathValue",
    "Plan",
    "Rotates",
    "Setting",
    "StaticValue",
    "TemplateValue",
    "Trial",
    "Tried",
    "Values",
    "Wire",
    "add_destination",
    "apply_filters",
    "as_test_message",
    "change_destination",
    "check_settings",
    "default_mappings",
    "divide",
    "find_destination",
    "get_destination",
    "holds",
    "judge_error",
    "judge_reply",
    "list_destinations",
    "make_item",
    "make_items",
    "map_message",
    "of_type",
    "open_settings",
    "open_wire",
    "plan_of",
    "prepare",
    "read_filters",
    "read_mappings",
    "recent_messages",
    "remove_destination",
    "rotate_secret",
    "sample_body",
    "set_destination_enabled",
    "show_settings",
    "try_message",
]
