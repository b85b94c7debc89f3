"""Read people and companies: what was said of them, together with what their calls showed.

In: ids. Out: `Person` and `Company`. Those known only by calls exist, and so do those known only by
a profile.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from headwater.eventstore import EventStore

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
    """The first call answered with 2xx or 3xx."""
    last_ip: str = ""
    changed_offset: int = 0
    """The log offset of the newest call or update."""

    @property
    def ttfhw_s(self) -> int | None:
        """Seconds to the first hello world: from the earliest moment to the first success."""
        if self.first_success_at is None:
            return None
        return max(0, int((self.first_success_at - self.created_at).total_seconds()))


class Company(Known, frozen=True, kw_only=True):
    """An organisation whose people call the API."""


class Person(Known, frozen=True, kw_only=True):
    """A user of the API."""

    company_id: str = ""
    """As the profile says, else as the latest call says."""
    last_user_agent: str = ""
    anonymous_ids: tuple[str, ...] = ()


K = TypeVar("K", bound=Known)


async def read_people(store: EventStore, app_id: str, ids: Sequence[str]) -> dict[str, Person]:
    """Return those of `ids` that are known."""
    return await _read(store, app_id, "user", ids, _PEOPLE_SEEN, Person)


async def read_companies(store: EventStore, app_id: str, ids: Sequence[str]) -> dict[str, Company]:
    """Return those of `ids` that are known."""
    return await _read(store, app_id, "company", ids, _COMPANIES_SEEN, Company)


async def _read(
    store: EventStore, app_id: str, kind: str, ids: Sequence[str], seen_sql: str, noun: type[K]
) -> dict[str, K]:
    wanted = {"app_id": app_id, "kind": kind, "ids": sorted({*ids} - {""})}
    if not wanted["ids"]:
        return {}
    profiles = {row["id"]: row for row in await store.select(_PROFILES, wanted)}
    seen = {row["id"]: row for row in await store.select(seen_sql, wanted)}
    return {
        known: msgspec.convert(_join(known, profiles.get(known, {}), seen.get(known, {})), noun)
        for known in {**profiles, **seen}
    }


def _join(known: str, profile: Mapping[str, Any], seen: Mapping[str, Any]) -> dict[str, Any]:
    moments = [row[name] for row, name in ((profile, "created_at"), (seen, "first_seen_at")) if row]
    return {
        **seen,
        "id": known,
        "doc": msgspec.json.decode(profile.get("doc", "{}")),
        "company_id": profile.get("company_id") or seen.get("company_id", ""),
        "anonymous_ids": profile.get("anonymous_ids", ()),
        "created_at": min(moments),
        "modified_at": profile.get("modified_at") or min(moments),
        "changed_offset": max(profile.get("version", 0), seen.get("version", 0)),
    }
