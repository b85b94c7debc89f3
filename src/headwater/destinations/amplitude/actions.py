"""What Amplitude does with a message: it notes an event, or sets properties of a user.

Out: the actions of the type. Pure.
"""

from headwater.destinations.conditions import of_type
from headwater.destinations.contract import Action, ActionField
from headwater.destinations.fields import FirstOfValue, PathValue

_WHO = (
    ActionField(name="user_id", title="User id", default=PathValue("userId")),
    ActionField(
        name="device_id",
        title="Device id",
        help="Amplitude needs this or a user id.",
        default=FirstOfValue((PathValue("context.device.id"), PathValue("anonymousId"))),
    ),
)
_WHERE = (
    ActionField(name="time", title="Time", default=PathValue("timestamp")),
    ActionField(name="ip", title="IP address", default=PathValue("context.ip")),
    ActionField(name="language", title="Language", default=PathValue("context.locale")),
)

EVENT = Action(
    name="event",
    title="Track an event",
    help="An event of the user, with its properties.",
    trigger=of_type("track"),
    fields=(
        *_WHO,
        ActionField(
            name="event_type",
            title="Event type",
            is_required=True,
            default=FirstOfValue((PathValue("event"), PathValue("name"), PathValue("type"))),
        ),
        ActionField(
            name="event_properties",
            title="Event properties",
            kind="object",
            default=PathValue("properties"),
        ),
        *_WHERE,
    ),
)
IDENTIFY = Action(
    name="identify",
    title="Set user properties",
    help="Traits become properties of the user.",
    trigger=of_type("identify"),
    fields=(
        *_WHO,
        ActionField(
            name="user_properties",
            title="User properties",
            kind="object",
            default=PathValue("traits"),
        ),
        *_WHERE,
    ),
)
ACTIONS = (EVENT, IDENTIFY)
