"""Name the fields of users and companies on the wire, and say how each is read.

In: a `Person` or a `Company`. Out: a JSON object. Pure. What is not known is left out, never null;
the names are those of docs/reference/webhook-extension.md.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from headwater.base.clock import to_wire_time
from headwater.extensions.leaving_out import LeavingOut
from headwater.profiles import Company, Person

Json = dict[str, Any]
Known = TypeVar("Known", Person, Company)

_UNKNOWN: tuple[Any, ...] = (None, "", {}, ())
_FACTS: Mapping[str, str] = {
    "companyId": "company",
    "domain": "companyDomain",
    "firstSeenAt": "firstSeenTime",
    "firstTouch": "campaign",
    "lastIp": "ip",
    "lastSeenAt": "lastSeenTime",
    "lastTouch": "campaign",
    "lastUserAgent": "userAgent",
}
"""Which fact a field tells, where it has another name; see `leaving_out`."""
_PARTS_OF = {"agent": "lastUserAgent"}
"""What is made of another field, and goes with it."""


def _time(at: datetime | None) -> str | None:
    return None if at is None else to_wire_time(at)


def _camel(values: Mapping[str, Any]) -> Json:
    return {_camel_name(name): value for name, value in values.items() if value != ""}


def _camel_name(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _metadata(doc: Mapping[str, Any]) -> Json:
    value = doc.get("metadata")
    return value if isinstance(value, dict) else {}


_BOTH: Mapping[str, Callable[[Person | Company], Any]] = {
    "id": lambda one: one.id,
    "name": lambda one: one.name,
    "createdAt": lambda one: _time(one.created_at),
    "modifiedAt": lambda one: _time(one.modified_at),
    "firstSeenAt": lambda one: _time(one.first_seen_at),
    "lastSeenAt": lambda one: _time(one.last_seen_at),
    "firstSuccessAt": lambda one: _time(one.first_success_at),
    "ttfhw_s": lambda one: one.ttfhw_s,
    "lifecycle": lambda one: one.lifecycle,
    "lastIp": lambda one: one.last_ip,
    "metadata": lambda one: _metadata(one.doc),
}
USER: Mapping[str, Callable[[Person], Any]] = {
    **_BOTH,
    "email": lambda user: user.email,
    "username": lambda user: user.username,
    "phone": lambda user: user.phone,
    "photoUrl": lambda user: user.photo_url,
    "companyId": lambda user: user.company_id,
    "companySince": lambda user: _time(user.company_since),
    "lastUserAgent": lambda user: user.last_user_agent,
    "agent": lambda user: _camel(msgspec.to_builtins(user.agent)),
    "firstTouch": lambda user: _camel(user.first_touch),
    "lastTouch": lambda user: _camel(user.last_touch),
    "location": lambda user: user.location,
    "locale": lambda user: user.locale,
    "anonymousIds": lambda user: user.anonymous_ids,
}
COMPANY: Mapping[str, Callable[[Company], Any]] = {
    **_BOTH,
    "domain": lambda company: company.domain,
}


def describe(
    one: Known, fields: Mapping[str, Callable[[Known], Any]], without: tuple[str, ...]
) -> Json:
    """Return what is known of somebody, but for the fields that are left out."""
    gone = {*without, *(part for part, whole in _PARTS_OF.items() if whole in without)}
    known = {name: read(one) for name, read in fields.items() if name not in gone}
    if without and "metadata" in known:
        known["metadata"] = inside(without).thin(known["metadata"])
    return {name: value for name, value in known.items() if value not in _UNKNOWN}


@lru_cache(maxsize=256)
def inside(without: tuple[str, ...]) -> LeavingOut:
    """Return what is left out of metadata and numbers, of the names of fields."""
    return LeavingOut({_FACTS.get(name, name) for name in without}, without)
