"""What Customer.io does with a message: it describes a person or an object, or notes an event.

Out: the actions of the type. Pure.
"""

from headwater.destinations.conditions import of_type
from headwater.destinations.contract import Action, ActionField
from headwater.destinations.fields import FirstOfValue, PathValue

_PERSON = ActionField(name="person_id", title="Person", default=PathValue("userId"))

IDENTIFY = Action(
    name="identify",
    title="Describe a person",
    help="Traits become attributes of the person, who is added if there is none.",
    trigger=of_type("identify"),
    fields=(
        ActionField(
            name="person_id", title="Person", is_required=True, default=PathValue("userId")
        ),
        ActionField(
            name="attributes", title="Attributes", kind="object", default=PathValue("traits")
        ),
    ),
)
EVENT = Action(
    name="event",
    title="Note an event",
    help="Of the person, or of somebody anonymous who may turn out to be one.",
    trigger=of_type("track"),
    fields=(
        _PERSON,
        ActionField(
            name="anonymous_id",
            title="Anonymous id",
            help="Customer.io needs this or a person.",
            default=PathValue("anonymousId"),
        ),
        ActionField(
            name="name",
            title="Event name",
            is_required=True,
            default=FirstOfValue((PathValue("event"), PathValue("name"), PathValue("type"))),
        ),
        ActionField(
            name="attributes", title="Event data", kind="object", default=PathValue("properties")
        ),
        ActionField(name="timestamp", title="Time", default=PathValue("timestamp")),
    ),
)
GROUP = Action(
    name="group",
    title="Describe a company",
    help="An object of the workspace, with its attributes; the person belongs to it.",
    trigger=of_type("group"),
    fields=(
        ActionField(
            name="object_id", title="Object", is_required=True, default=PathValue("groupId")
        ),
        _PERSON,
        ActionField(
            name="attributes", title="Attributes", kind="object", default=PathValue("traits")
        ),
    ),
)
ACTIONS = (IDENTIFY, EVENT, GROUP)
