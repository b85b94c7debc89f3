"""What a webhook does with a message: it sends it, as it is unless a mapping says otherwise.

Out: the actions of the type. Pure.
"""

from headwater.destinations.conditions import ALWAYS
from headwater.destinations.contract import Action, ActionField
from headwater.destinations.fields import PathValue

ACTIONS = (
    Action(
        name="send",
        title="Send",
        help="Posts the message, or an object of your own.",
        trigger=ALWAYS,
        fields=(
            ActionField(
                name="body",
                title="Body",
                help="The whole message, unless you say otherwise.",
                kind="any",
                is_required=True,
                default=PathValue(""),
            ),
        ),
    ),
)
