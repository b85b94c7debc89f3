"""Say what is known of companies, as group messages: one of each company that changed.

In: a page of users and their companies. Out: messages. Pure. Segment wants a user in each group
call, so the first user of the page who belongs to the company carries it.
"""

from collections.abc import Iterator

from headwater.base.clock import to_wire_time
from headwater.extensions.people import People
from headwater.extensions.segment.identify import LIBRARY, Json, describe_company
from headwater.extensions.windows import Window, message_id
from headwater.profiles import Company, Person


def make_groups(people: People) -> Iterator[tuple[str, Json]]:
    """Yield the subject and the message of each known company of the page's users."""
    carriers = {user.company_id: user for user in sorted(people.users, key=_id_of, reverse=True)}
    for id_, carrier in carriers.items():
        company = people.companies.get(id_)
        if company is not None:
            yield f"group:{id_}", _group(people.window, company, carrier)


def _id_of(user: Person) -> str:
    return user.id


def _group(window: Window, company: Company, carrier: Person) -> Json:
    offset = min(company.changed_offset, window.upto)
    return {
        "type": "group",
        "messageId": message_id(
            window.connection_id, window.target, company.id, "", offset, "group"
        ),
        "userId": carrier.id,
        "groupId": company.id,
        "timestamp": to_wire_time(window.now),
        "context": {"library": LIBRARY},
        "traits": {"name": company.name or company.id, **describe_company(company)},
    }
