"""Read people and companies: what was said of them, together with what their calls showed.

In: ids. Out: `Person` and `Company`. Those known only by calls exist, and so do those known only by
a profile.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from headwater.eventstore import EventStore
from headwater.profiles.agent import NO_AGENT, Agent, parse_agent
from headwater.profiles.merge import CAMPAIGN, INITIAL_CAMPAIGN
from headwater.profiles.traits import (
    company_domain,
    company_name,
    location,
    part,
    said,
    text,
    user_traits,
)

Lifecycle = Literal["", "new", "active", "resurrected", "dormant"]
"""How a user or company stands to the API; empty when it was never called."""

_PROFILES = """
SELECT id, doc, company_id, anonymous_ids, created_at, modified_at, version
FROM profiles FINAL
WHERE app_id = {app_id:String} AND kind = {kind:String} AND id IN {ids:Array(String)}
"""

_PEOPLE_SEEN = """
SELECT
    s.user_id AS id,
    min(s.first_seen_at) AS first_seen_at,
    max(s.last_seen_at) AS last_seen_at,
    min(s.first_success_at) AS first_success_at,
    max(s.last_ip).value AS last_ip,
    max(s.last_user_agent).value AS last_user_agent,
    max(s.last_company_id).value AS company_id,
    max(s.last_offset) AS version
FROM people_seen AS s
WHERE s.app_id = {app_id:String} AND s.user_id IN {ids:Array(String)}
GROUP BY s.user_id
"""

_COMPANIES_SEEN = """
SELECT
    s.company_id AS id,
    min(s.first_seen_at) AS first_seen_at,
    max(s.last_seen_at) AS last_seen_at,
    min(s.first_success_at) AS first_success_at,
    max(s.last_ip).value AS last_ip,
    max(s.last_offset) AS version
FROM companies_seen AS s
WHERE s.app_id = {app_id:String} AND s.company_id IN {ids:Array(String)}
GROUP BY s.company_id
"""


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What a person and a company have in common."""

    id: str
    doc: dict[str, Any]
    """The merged profile; empty when only calls are known."""
    created_at: datetime
    """The earliest moment we know of: a profile update or a call."""
    modified_at: datetime
    """When the profile last changed; the first call when there is no profile."""
    first_seen_at: datetime | None = None
    last_seen_at: datetime | None = None
    first_success_at: datetime | None = None
    """The first call that the app counts as a success: with 2xx or 3xx, unless it says else."""
    last_ip: str = ""
    changed_offset: int = 0
    """The log offset of the newest call or update."""
    name: str = ""
    lifecycle: Lifecycle = ""

    @property
    def ttfhw_s(self) -> int | None:
        """Seconds to the first hello world: from the earliest moment to the first success."""
        if self.first_success_at is None:
            return None
        return max(0, int((self.first_success_at - self.created_at).total_seconds()))


class Company(Known, frozen=True, kw_only=True):
    """An organisation whose people call the API."""

    domain: str = ""


class Person(Known, frozen=True, kw_only=True):
    """A user of the API."""

    email: str = ""
    username: str = ""
    phone: str = ""
    photo_url: str = ""
    company_id: str = ""
    """As the profile says, else as the latest call says."""
    company_since: datetime | None = None
    """When the user was first seen with this company, since last seen with another one."""
    last_user_agent: str = ""
    agent: Agent = NO_AGENT
    """The parts of the last User-Agent."""
    first_touch: dict[str, Any] = {}
    """The campaign that the user came by first: `utm_source`, …"""
    last_touch: dict[str, Any] = {}
    location: dict[str, Any] = {}
    locale: str = ""
    anonymous_ids: tuple[str, ...] = ()
    """Browsers that were seen with the user."""
    session_keys: tuple[str, ...] = ()
    """Keyed fingerprints of session tokens that came with the user; never a token."""


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """What a company pays for, as a billing system said it."""

    id: str
    company_id: str
    status: str
    created_at: datetime
    modified_at: datetime
    doc: dict[str, Any]


async def read_people(store: EventStore, app_id: str, ids: Sequence[str]) -> dict[str, Person]:
    """Return those of `ids` that are known."""
    found = await _read(store, app_id, "user", ids, _PEOPLE_SEEN)
    return {known: msgspec.convert(_to_person(row), Person) for known, row in found.items()}


async def read_companies(store: EventStore, app_id: str, ids: Sequence[str]) -> dict[str, Company]:
    """Return those of `ids` that are known."""
    found = await _read(store, app_id, "company", ids, _COMPANIES_SEEN)
    return {known: msgspec.convert(_to_company(row), Company) for known, row in found.items()}


async def read_subscriptions(
    store: EventStore, app_id: str, ids: Sequence[str]
) -> dict[str, Subscription]:
    """Return those of `ids` that are known."""
    asked = {"app_id": app_id, "kind": "subscription", "ids": sorted({*ids} - {""})}
    rows = await store.select(_PROFILES, asked) if asked["ids"] else []
    return {row["id"]: msgspec.convert(_to_subscription(row), Subscription) for row in rows}


async def _read(
    store: EventStore, app_id: str, kind: str, ids: Sequence[str], seen_sql: str
) -> dict[str, dict[str, Any]]:
    wanted = {"app_id": app_id, "kind": kind, "ids": sorted({*ids} - {""})}
    if not wanted["ids"]:
        return {}
    profiles = {row["id"]: row for row in await store.select(_PROFILES, wanted)}
    seen = {row["id"]: row for row in await store.select(seen_sql, wanted)}
    return {
        known: _join(known, profiles.get(known, {}), seen.get(known, {}))
        for known in {**profiles, **seen}
    }


def _join(known: str, profile: Mapping[str, Any], seen: Mapping[str, Any]) -> dict[str, Any]:
    moments = [row[name] for row, name in ((profile, "created_at"), (seen, "first_seen_at")) if row]
    doc = msgspec.json.decode(profile.get("doc", "{}"))
    return {
        **seen,
        "id": known,
        "doc": doc,
        "last_ip": seen.get("last_ip") or text(doc, "ip_address"),
        "company_id": profile.get("company_id") or seen.get("company_id", ""),
        "anonymous_ids": profile.get("anonymous_ids", ()),
        "created_at": min(moments),
        "modified_at": profile.get("modified_at") or min(moments),
        "changed_offset": max(profile.get("version", 0), seen.get("version", 0)),
    }


def _to_person(row: dict[str, Any]) -> dict[str, Any]:
    doc = row["doc"]
    user_agent = row.get("last_user_agent") or text(doc, "user_agent_string")
    return {
        **row,
        **msgspec.structs.asdict(user_traits(doc)),
        "last_user_agent": user_agent,
        "agent": parse_agent(user_agent),
        "first_touch": part(doc, INITIAL_CAMPAIGN),
        "last_touch": part(doc, CAMPAIGN),
        "location": location(doc),
        "locale": said(doc, "locale"),
    }


def _to_company(row: dict[str, Any]) -> dict[str, Any]:
    doc = row["doc"]
    return {**row, "name": company_name(doc), "domain": company_domain(doc)}


def _to_subscription(row: dict[str, Any]) -> dict[str, Any]:
    doc = msgspec.json.decode(row["doc"])
    return {**row, "doc": doc, "status": text(doc, "status")}
