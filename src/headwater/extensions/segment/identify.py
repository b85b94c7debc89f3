"""Turn a person and their numbers into one identify message.

In: `Person`, `Company`, rollups, a moment. Out: the message as Segment's Tracking API takes it.
Pure. What is not known is left out, never null. The traits are those of docs/reference/traits.md:
the generation of 2019 names the company by its id, the current one describes it.
"""

from datetime import datetime
from typing import Any

import msgspec

from headwater import __version__
from headwater.base.clock import to_wire_time
from headwater.model import Rollup
from headwater.profiles import Company, Person

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
    person: Person,
    company: Company | None,
    activity: Activity,
    version: str,
    id_: str,
    at: datetime,
) -> Json:
    """Return the message."""
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
        "ip": person.last_ip or _text(person.doc, "ip_address"),
        "userAgent": person.last_user_agent or _text(person.doc, "user_agent_string"),
        "locale": _said(person.doc, "locale"),
        "location": _object(person.doc, "location") or _object(_metadata(person.doc), "location"),
        "campaign": {
            there: value
            for here, there in _CAMPAIGN_CONTEXT.items()
            if (value := _text(_object(person.doc, "campaign"), here))
        },
        "library": LIBRARY,
    }
    return without_absent(known)


def _traits(person: Person, company: Company | None, activity: Activity, version: str) -> Json:
    doc = person.doc
    traits: Json = {
        "id": person.id,
        "name": _full_name(doc),
        "email": _said(doc, "email"),
        "username": _said(doc, "username") or _said(doc, "user_name"),
        "createdAt": to_wire_time(person.created_at),
        "firstSeenTime": _time(person.first_seen_at),
        "lastSeenTime": _time(person.last_seen_at),
        "modifiedTime": to_wire_time(person.modified_at),
        "company": person.company_id,
        "dailyAggregation": activity.day,
    }
    if version == "current":
        traits |= {
            "company": _describe(person.company_id, company),
            "campaign": {_camel(k): v for k, v in _object(doc, "campaign").items()},
            "metadata": _metadata(doc),
            "userAgent": person.last_user_agent or _text(doc, "user_agent_string"),
            "last24HourAggResults": activity.last_24_hours,
        }
    return without_absent(traits)


def _describe(company_id: str, company: Company | None) -> Json:
    if company is None:
        return without_absent({"id": company_id})
    return describe_company(company)


def describe_company(company: Company) -> Json:
    """Return what is known of a company, by the names of the reference."""
    return without_absent(
        {
            "id": company.id,
            "created": to_wire_time(company.created_at),
            "modifiedTime": to_wire_time(company.modified_at),
            "firstSeenTime": _time(company.first_seen_at),
            "lastSeenTime": _time(company.last_seen_at),
            "ipAddress": company.last_ip or _text(company.doc, "ip_address"),
            "companyDomain": company.domain or _text(company.doc, "company_domain"),
            "ttfhw_s": company.ttfhw_s,
            "metadata": _metadata(company.doc),
        }
    )


def _time(at: datetime | None) -> str | None:
    return None if at is None else to_wire_time(at)


def _full_name(doc: Json) -> str:
    parts = (_said(doc, "first_name"), _said(doc, "last_name"))
    return _said(doc, "name") or " ".join(part for part in parts if part)


def _said(doc: Json, name: str) -> str:
    """Return a reserved field from the metadata, where the clients put it, else from the top."""
    return _text(_metadata(doc), name) or _text(doc, name)


def _metadata(doc: Json) -> Json:
    return _object(doc, "metadata")


def _object(doc: Json, name: str) -> Json:
    value = doc.get(name)
    return value if isinstance(value, dict) else {}


def _text(doc: Json, name: str) -> str:
    value = doc.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def without_absent(fields: Json) -> Json:
    """Return the fields that say something."""
    return {name: value for name, value in fields.items() if value not in (None, "", {})}
