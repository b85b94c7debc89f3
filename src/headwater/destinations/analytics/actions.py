"""What API analytics does with a message: it describes a user or a company, or notes an action.

Out: the actions of the type. Pure. What Headwater itself sent about its users is left alone: it
would come back as news, and be sent again.
"""

from headwater.destinations.conditions import Condition, of_type
from headwater.destinations.contract import Action, ActionField
from headwater.destinations.fields import FirstOfValue, ObjectValue, PathValue, StaticValue

OURS = "headwater"
"""The name of the library in messages that the Segment extension makes."""
LIBRARY_NAME = "context.library.name"
_NOT_OURS = Condition(field=LIBRARY_NAME, op="is_not", value=OURS)
_NO_PAGE = "urn:headwater:track"
"""The Collector API wants to know where an action happened; a server's track does not say."""


def _of(*types: str) -> Condition:
    return Condition(all=(of_type(*types), _NOT_OURS))


_USER_ID = ActionField(name="user_id", title="User id", kind="text", default=PathValue("userId"))
_ANONYMOUS_ID = ActionField(
    name="anonymous_id",
    title="Anonymous id",
    help="Without a user id it names a visitor; beside one it links the visitor to the user.",
    kind="text",
    default=PathValue("anonymousId"),
)
_TIME = ActionField(
    name="time",
    title="Time",
    help="When it happened: of two values of a trait the newer one wins.",
    kind="text",
    default=PathValue("timestamp"),
)
_WHERE = (
    ActionField(name="ip_address", title="IP address", default=PathValue("context.ip")),
    ActionField(name="user_agent", title="User-Agent", default=PathValue("context.userAgent")),
)

USER = Action(
    name="user",
    title="Describe a user",
    help="Traits become the metadata of the user's profile.",
    trigger=_of("identify"),
    fields=(
        _USER_ID,
        _ANONYMOUS_ID,
        ActionField(
            name="company_id",
            title="Company id",
            default=FirstOfValue((PathValue("traits.company.id"), PathValue("context.groupId"))),
        ),
        ActionField(name="metadata", title="Metadata", kind="object", default=PathValue("traits")),
        ActionField(
            name="campaign",
            title="Campaign",
            kind="object",
            default=ObjectValue(
                {
                    "utm_campaign": PathValue("context.campaign.name"),
                    "utm_source": PathValue("context.campaign.source"),
                    "utm_medium": PathValue("context.campaign.medium"),
                    "utm_term": PathValue("context.campaign.term"),
                    "utm_content": PathValue("context.campaign.content"),
                }
            ),
        ),
        _TIME,
        *_WHERE,
    ),
)
COMPANY = Action(
    name="company",
    title="Describe a company",
    help="Traits become the metadata of the company's profile, and the user belongs to it.",
    trigger=_of("group"),
    fields=(
        ActionField(
            name="company_id",
            title="Company id",
            is_required=True,
            default=PathValue("groupId"),
        ),
        _USER_ID,
        _ANONYMOUS_ID,
        ActionField(
            name="domain",
            title="Domain",
            default=FirstOfValue((PathValue("traits.domain"), PathValue("traits.website"))),
        ),
        ActionField(name="metadata", title="Metadata", kind="object", default=PathValue("traits")),
        _TIME,
    ),
)
ACTION = Action(
    name="action",
    title="Note an action",
    help="What a user did beside calling the API stands in the timeline.",
    trigger=_of("track"),
    fields=(
        ActionField(
            name="name",
            title="Name",
            is_required=True,
            default=FirstOfValue((PathValue("event"), PathValue("name"))),
        ),
        _USER_ID,
        _ANONYMOUS_ID,
        ActionField(name="company_id", title="Company id", default=PathValue("context.groupId")),
        ActionField(
            name="uri",
            title="Where",
            help="The address of the page on which it happened.",
            is_required=True,
            default=FirstOfValue((PathValue("context.page.url"), StaticValue(_NO_PAGE))),
        ),
        ActionField(
            name="metadata", title="Metadata", kind="object", default=PathValue("properties")
        ),
        _TIME,
        *_WHERE,
    ),
)
ACTIONS = (USER, COMPANY, ACTION)
