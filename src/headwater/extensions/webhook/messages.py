"""Make the messages of a page of users: one of each user that changed, one of each company.

In: people and settings. Out: items with deterministic ids. Pure. The daily numbers of a user count
as part of the user: without them a day that ends changes nobody.
"""

from collections.abc import Iterator

import msgspec

from headwater.base.clock import to_wire_time
from headwater.extensions.contract import Item
from headwater.extensions.people import People
from headwater.extensions.webhook.fields import COMPANY, USER, Json, describe, inside
from headwater.extensions.webhook.settings import WebhookSettings
from headwater.extensions.windows import Window, message_id, subject_of
from headwater.model import Rollup
from headwater.profiles import Company, Person

MOST_BYTES = 250_000
_BULKY = "metadata"


def make_messages(settings: WebhookSettings, people: People) -> Iterator[Item]:
    """Yield users, then their companies."""
    if settings.about_users:
        for user in people.users:
            yield _about_user(settings, people.window, user, people.days.get(user.id))
    if settings.about_companies:
        for company in people.companies.values():
            yield _about_company(settings, people.window, company)


def _about_user(
    settings: WebhookSettings, window: Window, user: Person, day: Rollup | None
) -> Item:
    stands = (user.lifecycle,) if settings.tells_lifecycle else ()
    id_ = window.id_of(user) if settings.numbers else _id_on_any_day(window, user, "user", *stands)
    message = {
        **_envelope("user.changed", id_, window),
        "userId": user.id,
        "user": describe(user, USER, settings.without),
    }
    if settings.numbers and day is not None:
        message["dailyAggregation"] = inside(settings.without).thin_numbers(day)
    return Item(
        message_id=id_,
        user_id=user.id,
        subject=subject_of(user.id),
        payload=_encode(message, "user"),
    )


def _about_company(settings: WebhookSettings, window: Window, company: Company) -> Item:
    id_ = _id_on_any_day(window, company, "company")
    message = {
        **_envelope("company.changed", id_, window),
        "companyId": company.id,
        "company": describe(company, COMPANY, settings.without),
    }
    return Item(
        message_id=id_,
        user_id="",
        subject=f"company:{company.id}",
        payload=_encode(message, "company"),
    )


def _id_on_any_day(window: Window, one: Person | Company, *more: str) -> str:
    """Return the id of a message without numbers: only a change of what it says makes another."""
    offset = min(one.changed_offset, window.upto)
    return message_id(window.connection_id, window.target, one.id, "", offset, *more)


def _envelope(type_: str, id_: str, window: Window) -> Json:
    return {"type": type_, "messageId": id_, "timestamp": to_wire_time(window.now)}


def _encode(message: Json, about: str) -> bytes | None:
    """Return the message as JSON; what is too large goes without metadata, or not at all."""
    encoded = msgspec.json.encode(message)
    if len(encoded) > MOST_BYTES:
        slim = {name: value for name, value in message[about].items() if name != _BULKY}
        encoded = msgspec.json.encode({**message, about: slim, "trimmed": [f"{about}.{_BULKY}"]})
    return encoded if len(encoded) <= MOST_BYTES else None
