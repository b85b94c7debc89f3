"""Read who somebody is from a profile's document: name, e-mail address, campaigns, place.

In: a merged document, as clients filled it. Out: plain values; what nobody said is empty. Pure.
The one place that knows under which names clients send these things.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec

from headwater.profiles.merge import CAMPAIGN, INITIAL_CAMPAIGN

Json = Mapping[str, Any]


class UserTraits(msgspec.Struct, frozen=True, kw_only=True):
    """Who a user is."""

    name: str = ""
    email: str = ""
    username: str = ""
    phone: str = ""
    photo_url: str = ""


SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "name": ("name", "first_name", "last_name", "company_name"),
    "email": ("email",),
    "username": ("username", "user_name"),
    "phone": ("phone", "phone_number"),
    "photo_url": ("photo_url", "photo", "avatar", "avatar_url"),
    "domain": ("company_domain", "domain"),
    "location": ("location",),
    "locale": ("locale",),
}
"""Under which names clients say what: whoever leaves one out leaves out all of these."""
_NAME_PARTS = ("first_name", "last_name")
_NO_TRAITS = UserTraits()


def user_traits(doc: Json) -> UserTraits:
    """Return who the user is; from the metadata, where clients put it, else from the top."""
    if not doc:
        return _NO_TRAITS
    return UserTraits(
        name=said(doc, "name") or " ".join(filter(None, map(partial(said, doc), _NAME_PARTS))),
        email=said(doc, *SPELLINGS["email"]),
        username=said(doc, *SPELLINGS["username"]),
        phone=said(doc, *SPELLINGS["phone"]),
        photo_url=said(doc, *SPELLINGS["photo_url"]),
    )


def person_traits(doc: Json) -> dict[str, Any]:
    """Return all that the profile says of a user, by the fields of `Person`."""
    return {
        **msgspec.structs.asdict(user_traits(doc)),
        "first_touch": part(doc, INITIAL_CAMPAIGN),
        "last_touch": part(doc, CAMPAIGN),
        "location": location(doc),
        "locale": said(doc, *SPELLINGS["locale"]),
    }


def company_name(doc: Json) -> str:
    """Return what the company is called."""
    return said(doc, "name", "company_name")


def company_domain(doc: Json) -> str:
    """Return the company's domain."""
    return text(doc, "company_domain") or said(doc, "domain")


def location(doc: Json) -> dict[str, Any]:
    """Return where the profile says that the user is."""
    return part(doc, "location") or part(part(doc, "metadata"), "location")


def said(doc: Json, *names: str) -> str:
    """Return the first of these that was said, in the metadata or at the top."""
    metadata = part(doc, "metadata")
    for name in names:
        if (name in metadata or name in doc) and (found := text(metadata, name) or text(doc, name)):
            return found
    return ""


def part(doc: Json, name: str) -> dict[str, Any]:
    """Return an object of the document; empty when there is none."""
    value = doc.get(name)
    return value if isinstance(value, dict) else {}


def text(doc: Json, name: str) -> str:
    """Return a text or number of the document as text."""
    value = doc.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""
