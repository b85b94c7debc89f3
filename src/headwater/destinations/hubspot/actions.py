"""What HubSpot does with a message: it writes a contact, a company, or notes a custom event.

Out: the actions of the type. Pure. HubSpot refuses properties that the portal does not have, so a
few that every portal has are sent, and never all traits.
"""

from headwater.destinations.conditions import of_type
from headwater.destinations.contract import Action, ActionField
from headwater.destinations.fields import FieldValue, FirstOfValue, ObjectValue, PathValue

_EMAIL = ActionField(
    name="email",
    title="E-mail address",
    help="Names the contact.",
    is_required=True,
    default=FirstOfValue((PathValue("traits.email"), PathValue("context.traits.email"))),
)


def _trait(*names: str) -> FieldValue:
    return FirstOfValue(tuple(PathValue(f"traits.{name}") for name in names))


CONTACT = Action(
    name="contact",
    title="Write a contact",
    help="Added, or changed if there is one with this address.",
    trigger=of_type("identify"),
    fields=(
        _EMAIL,
        ActionField(
            name="properties",
            title="Properties",
            help="Of contacts, by their internal names: HubSpot refuses those it does not know.",
            kind="object",
            default=ObjectValue(
                {
                    "firstname": _trait("firstName", "first_name"),
                    "lastname": _trait("lastName", "last_name"),
                    "phone": _trait("phone"),
                    "company": _trait("company.name", "company"),
                    "jobtitle": _trait("title", "jobTitle"),
                }
            ),
        ),
    ),
)
COMPANY = Action(
    name="company",
    title="Write a company",
    help="Added, or changed if there is one with this id.",
    trigger=of_type("group"),
    fields=(
        ActionField(
            name="company_id",
            title="Company id",
            help="The value of the property that the settings name.",
            is_required=True,
            default=PathValue("groupId"),
        ),
        ActionField(
            name="properties",
            title="Properties",
            help="Of companies, by their internal names.",
            kind="object",
            default=ObjectValue(
                {
                    "name": _trait("name"),
                    "domain": _trait("domain", "website"),
                    "phone": _trait("phone"),
                    "industry": _trait("industry"),
                }
            ),
        ),
    ),
)
EVENT = Action(
    name="event",
    title="Note a custom event",
    help="Of a contact; the event has to be defined in the portal first.",
    fields=(
        ActionField(
            name="event_name",
            title="Event name",
            help="As the portal has it, such as pe1234_order_placed.",
            is_required=True,
        ),
        ActionField(
            name="email",
            title="E-mail address",
            is_required=True,
            default=FirstOfValue(
                (PathValue("context.traits.email"), PathValue("properties.email"))
            ),
        ),
        ActionField(name="properties", title="Properties", kind="object"),
        ActionField(name="occurred_at", title="Time", default=PathValue("timestamp")),
    ),
)
ACTIONS = (CONTACT, COMPANY, EVENT)
