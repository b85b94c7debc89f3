"""What files do with a message: they keep it.

Out: the actions of the type. Pure.
"""

from headwater.destinations.conditions import ALWAYS
from headwater.destinations.contract import Action, ActionField
from headwater.destinations.fields import PathValue

ACTIONS = (
    Action(
        name="store",
        title="Store",
        help="Writes the message, or an object of your own, as one row.",
        trigger=ALWAYS,
        fields=(
            ActionField(
                name="row",
                title="Row",
                help="The whole message, unless you say otherwise.",
                kind="object",
                is_required=True,
                default=PathValue(""),
            ),
        ),
    ),
)
