"""Turn a person and their numbers into one identify message.

In: `Person`, `Company`, rollups, a moment. Out: the message as Segment's Tracking API takes it.
Pure. What is not known is left out, never null. The traits are those of docs/reference/traits.md:
the generation of 2019 names the company by its id, the current one describes it.
"""

from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec

from headwater import __version__
from headwater.base.clock import to_wire_time
from headwater.model import Rollup
from headwater.profiles import Company, Person, part, text

LIBRARY = {"name": "headwater", "version": __version__}
_CAMPAIGN_CONTEXT = {
    "utm_campaign": "name",
    "utm_source": "source",
    "utm_medium": "medium",
    "utm_term": "term",
    "utm_content": "content",
}

Json = dict[str, Any]


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """A person's numbers: of the last complete day, and of the last 24 hours."""

    day: Rollup
    last_24_hours: Rollup | None = None


def compose(
    person: Person, company: Json, activity: Activity, version: str, id_: str, at: datetime
) -> Json:
    """Return the message; `company` is as `describe_company` made it, empty if nothing is known."""
    return {
        "type": "identify",
        "messageId": id_,
        "userId": person.id,
        "timestamp": to_wire_time(at),
        "context": make_context(person),
        "traits": _traits(person, company, activity, version),
    }


def make_context(person: Person) -> Json:
    """Return where and by what the user was last seen."""
    known = {
        "ip": person.last_ip,
        "userAgent": person.last_user_agent,
        "os": without_absent({"name": person.agent.os, "version": person.agent.os_version}),
        "device": without_absent({"name": person.agent.device}),
        "locale": person.locale,
        "location": person.location,
        "campaign": {
            there: value
            for here, there in _CAMPAIGN_CONTEXT.items()
            if (value := text(person.last_touch, here))
        },
        "library": LIBRARY,
    }
    return without_absent(known)


def _traits(person: Person, company: Json, activity: Activity, version: str) -> Json:
    traits: Json = {
        "id": person.id,
        "name": person.name,
        "email": person.email,
        "username": person.username,
        "createdAt": to_wire_time(person.created_at),
        "firstSeenTime": _time(person.first_seen_at),
        "lastSeenTime": _time(person.last_seen_at),
        "modifiedTime": to_wire_time(person.modified_at),
        "company": person.company_id,
        "dailyAggregation": activity.day,
    }
    if version == "current":
        traits |= {
            "company": company or without_absent({"id": person.company_id}),
            "campaign": {_camel(name): value for name, value in person.last_touch.items()},
            "metadata": part(person.doc, "metadata"),
            "userAgent": person.last_user_agent,
            "last24HourAggResults": activity.last_24_hours,
        }
    return without_absent(traits)


def describe_company(company: Company) -> Json:
    """Return what is known of a company, by the names of the reference."""
    return without_absent(
        {
            "id": company.id,
            "created": to_wire_time(company.created_at),
            "modifiedTime": to_wire_time(company.modified_at),
            "firstSeenTime": _time(company.first_seen_at),
            "lastSeenTime": _time(company.last_seen_at),
            "ipAddress": company.last_ip,
            "companyDomain": company.domain,
            "ttfhw_s": company.ttfhw_s,
            "metadata": part(company.doc, "metadata"),
        }
    )


def _time(at: datetime | None) -> str | None:
    return None if at is None else to_wire_time(at)


@lru_cache(maxsize=1_024)
def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def without_absent(fields: Json) -> Json:
    """Return the fields that say something; zero and false do."""
    return {name: value for name, value in fields.items() if value or value == 0}
