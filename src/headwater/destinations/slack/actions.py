"""What Slack does with a message: it posts a text.

Out: the actions of the type. Pure.
"""

from headwater.destinations.conditions import of_type
from headwater.destinations.contract import Action, ActionField
from headwater.destinations.fields import TemplateValue

ACTIONS = (
    Action(
        name="post",
        title="Post a text",
        help="In the channel of the webhook.",
        trigger=of_type("track"),
        fields=(
            ActionField(
                name="text",
                title="Text",
                help=(
                    "With holes, such as New user {{traits.email}}. *Bold* and _italic_ are "
                    "Slack's; links and mentions are shown as they are written."
                ),
                is_required=True,
                default=TemplateValue("*{{event}}* by {{userId}}"),
            ),
        ),
    ),
)
