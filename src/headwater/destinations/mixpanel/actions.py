"""What Mixpanel does with a message: it imports an event, or sets properties of a user or group.

Out: the actions of the type. Pure.
"""

from headwater.destinations.conditions import of_type
from headwater.destinations.contract import Action, ActionField
from headwater.destinations.fields import FirstOfValue, PathValue

_IP = ActionField(
    name="ip",
    title="IP address",
    help="Without one, Mixpanel is told to guess no place.",
    default=PathValue("context.ip"),
)

EVENT = Action(
    name="event",
    title="Import an event",
    help="An event of the user, with its properties.",
    trigger=of_type("track"),
    fields=(
        ActionField(
            name="event",
            title="Event",
            is_required=True,
            default=FirstOfValue((PathValue("event"), PathValue("name"), PathValue("type"))),
        ),
        ActionField(
            name="distinct_id",
            title="Distinct id",
            default=FirstOfValue((PathValue("userId"), PathValue("anonymousId"))),
        ),
        ActionField(
            name="properties", title="Properties", kind="object", default=PathValue("properties")
        ),
        ActionField(name="time", title="Time", default=PathValue("timestamp")),
        _IP,
    ),
)
IDENTIFY = Action(
    name="identify",
    title="Set user properties",
    help="Traits become properties of the user's profile.",
    trigger=of_type("identify"),
    fields=(
        ActionField(
            name="distinct_id",
            title="Distinct id",
            is_required=True,
            default=FirstOfValue((PathValue("userId"), PathValue("anonymousId"))),
        ),
        ActionField(
            name="properties", title="Properties", kind="object", default=PathValue("traits")
        ),
        _IP,
    ),
)
GROUP = Action(
    name="group",
    title="Set group properties",
    help="Traits become properties of the group's profile.",
    trigger=of_type("group"),
    fields=(
        ActionField(
            name="group_id", title="Group id", is_required=True, default=PathValue("groupId")
        ),
        ActionField(
            name="properties", title="Properties", kind="object", default=PathValue("traits")
        ),
    ),
)
ACTIONS = (EVENT, IDENTIFY, GROUP)
