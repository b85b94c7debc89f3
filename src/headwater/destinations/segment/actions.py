"""What a Tracking API does with a message: it takes it as it is.

Out: the actions of the type. Pure.
"""

from headwater.destinations.conditions import ALWAYS
from headwater.destinations.contract import Action, ActionField
from headwater.destinations.fields import PathValue

ACTIONS = (
    Action(
        name="forward",
        title="Forward",
        help="Sends the message on, with its own messageId and timestamp.",
        trigger=ALWAYS,
        fields=(
            ActionField(
                name="message",
                title="Message",
                help="The whole message, unless you say otherwise.",
                kind="object",
                is_required=True,
                default=PathValue(""),
            ),
        ),
    ),
)
