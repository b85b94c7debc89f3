"""Read people, companies and subscriptions: what was said of them, and what their calls showed.

In: ids, how the app reads profiles, the time. Out: nouns of `people`, for all ids at once: a fixed
number of questions, however many ids. As of a moment, calls are counted up to it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from headwater.eventstore import MANY_IDS, EventStore, many_ids
from headwater.model import ProfileRules
from headwater.profiles.agent import parse_agent
from headwater.profiles.companies import read_company_since
from headwater.profiles.history import own_voice, read_states, to_us
from headwater.profiles.lifecycle import Standing, read_standings
from headwater.profiles.merge import to_document
from headwater.profiles.people import Company, Person, Subscription
from headwater.profiles.success import first_success, success_sql
from headwater.profiles.traits import company_domain, company_name, person_traits, text
from headwater.profiles.visitors import read_voices

_PROFILES = f"""
SELECT
    id, doc, company_id, version,
    if(own OR doc != '{{}}', created_at, NULL) AS created_at,
    if(own OR doc != '{{}}', modified_at, NULL) AS modified_at
FROM profiles FINAL
WHERE app_id = {{app_id:String}} AND kind = {{kind:String}} AND id IN {MANY_IDS}
"""
_PEOPLE_SEEN = f"""
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
WHERE s.app_id = {{app_id:String}} AND s.user_id IN {MANY_IDS}
GROUP BY s.user_id
"""
_COMPANIES_SEEN = f"""
SELECT
    s.company_id AS id,
    min(s.first_seen_at) AS first_seen_at,
    max(s.last_seen_at) AS last_seen_at,
    min(s.first_success_at) AS first_success_at,
    max(s.last_ip).value AS last_ip,
    max(s.last_offset) AS version
FROM companies_seen AS s
WHERE s.app_id = {{app_id:String}} AND s.company_id IN {MANY_IDS}
GROUP BY s.company_id
"""
_MOST_KEYS = 100
_KEYS = f"""
SELECT
    user_id AS id,
    arraySlice(arraySort(groupUniqArrayIf(key, kind = 'anonymous')), 1, {_MOST_KEYS})
        AS anonymous_ids,
    arraySlice(arraySort(groupUniqArrayIf(key, kind = 'session')), 1, {_MOST_KEYS}) AS session_keys
FROM keys_of_users
WHERE app_id = {{app_id:String}} AND user_id IN {MANY_IDS}
    AND (kind, key, user_id) NOT IN (
        SELECT kind, key, value FROM link_rulings
        WHERE app_id = {{app_id:String}} AND value IN {MANY_IDS}
        GROUP BY kind, key, value HAVING argMax(verdict, (said_at, ruling_id)) = 'apart'
    )
GROUP BY user_id
"""
_SEEN_UNTIL = """
SELECT
    user_id AS id, min(time) AS first_seen_at, max(time) AS last_seen_at,
    minOrNullIf(time, {success}) AS first_success_at,
    argMaxIf(ip_address, (time, ref), ip_address != '') AS last_ip,
    argMaxIf(company_id, (time, ref), company_id != '') AS company_id,
    max(log_offset) AS version
FROM (
    SELECT user_id, time, call_id AS ref, ip_address, toString(company_id) AS company_id,
        status, toString(verb) AS verb, toString(route) AS route, log_offset
    FROM calls WHERE app_id = {{app_id:String}} AND user_id IN {many_ids}
    UNION ALL
    SELECT user_id, time, action_id, ip_address, toString(company_id), 0, '', '', log_offset
    FROM actions WHERE app_id = {{app_id:String}} AND user_id IN {many_ids}
)
WHERE time <= fromUnixTimestamp64Micro({{at:Int64}}, 'UTC')
GROUP BY user_id
"""

Row = Mapping[str, Any]
_NONE: Row = {}
_NO_STANDING = Standing("")


async def read_people(
    store: EventStore, app_id: str, ids: Sequence[str], rules: ProfileRules, now: datetime
) -> dict[str, Person]:
    """Return those of `ids` that are known."""
    asked = _asked(app_id, "user", ids)
    if not asked["ids"]:
        return {}
    profiles, seen, keys, since, standings, successes = await asyncio.gather(
        _by_id(store, _PROFILES, asked),
        _by_id(store, _PEOPLE_SEEN, asked),
        _by_id(store, _KEYS, asked),
        read_company_since(store, app_id, asked["ids"]),
        read_standings(store, app_id, "user", asked["ids"], rules.lifecycle, now),
        first_success(store, app_id, "user", asked["ids"], rules.success),
    )
    found: dict[str, Person] = {}
    for known in _exist(profiles, seen):
        row = _join(known, profiles.get(known, _NONE), seen.get(known, _NONE))
        more = {
            **keys.get(known, _NONE),
            **successes.get(known, _NONE),
            "company_since": since.get((known, row["company_id"])),
            **standings.get(known, _NO_STANDING)._asdict(),
        }
        found[known] = msgspec.convert(_to_person(row | more), Person)
    return found


async def read_companies(
    store: EventStore, app_id: str, ids: Sequence[str], rules: ProfileRules, now: datetime
) -> dict[str, Company]:
    """Return those of `ids` that are known."""
    asked = _asked(app_id, "company", ids)
    if not asked["ids"]:
        return {}
    profiles, seen, standings, successes = await asyncio.gather(
        _by_id(store, _PROFILES, asked),
        _by_id(store, _COMPANIES_SEEN, asked),
        read_standings(store, app_id, "company", asked["ids"], rules.lifecycle, now),
        first_success(store, app_id, "company", asked["ids"], rules.success),
    )
    found: dict[str, Company] = {}
    for known in _exist(profiles, seen):
        row = _join(known, profiles.get(known, _NONE), seen.get(known, _NONE))
        more = {**successes.get(known, _NONE), **standings.get(known, _NO_STANDING)._asdict()}
        found[known] = msgspec.convert(_to_company(row | more), Company)
    return found


async def read_subscriptions(
    store: EventStore, app_id: str, ids: Sequence[str]
) -> dict[str, Subscription]:
    """Return those of `ids` that are known."""
    asked = _asked(app_id, "subscription", ids)
    rows = await _by_id(store, _PROFILES, asked) if asked["ids"] else {}
    return {id_: msgspec.convert(_to_subscription(row), Subscription) for id_, row in rows.items()}


async def read_people_as_of(
    store: EventStore, app_id: str, ids: Sequence[str], at: datetime, rules: ProfileRules
) -> dict[str, Person]:
    """Return those of `ids` that were known at a moment, as they were then.

    Links are those of today: what is known now of who was behind a browser holds for then, too.
    """
    asked = _asked(app_id, "user", ids) | {"at": to_us(at)}
    if not asked["ids"]:
        return {}
    visitors = await read_voices(store, app_id, set(asked["ids"]))
    voices = {user: [own_voice(user), *visitors.get(user, [])] for user in asked["ids"]}
    condition, values = success_sql(rules.success)
    states, seen = await asyncio.gather(
        read_states(store, app_id, voices, at),
        _by_id(store, _SEEN_UNTIL.format(success=condition, many_ids=MANY_IDS), asked | values),
    )
    found: dict[str, Person] = {}
    for known in {**states, **seen}:
        state = states.get(known)
        profile = (
            _NONE
            if state is None
            else _as_profile(to_document(state), state.created_at, state.modified_at)
        )
        row = _join(known, profile, seen.get(known, _NONE))
        found[known] = msgspec.convert(_to_person(row), Person)
    return found


def _as_profile(document: Row, created_at: datetime, modified_at: datetime) -> Row:
    doc = msgspec.json.encode(document).decode()
    return {
        "doc": doc,
        "company_id": text(msgspec.json.decode(doc), "company_id"),
        "created_at": created_at,
        "modified_at": modified_at,
    }


def _asked(app_id: str, kind: str, ids: Sequence[str]) -> dict[str, Any]:
    return {"app_id": app_id, "kind": kind, "ids": sorted({*ids} - {""})}


async def _by_id(store: EventStore, sql: str, asked: Row) -> dict[str, Row]:
    bound = {**asked, "ids": many_ids(asked["ids"])}
    return {row["id"]: row for row in await store.select(sql, bound)}


def _exist(profiles: Mapping[str, Row], seen: Mapping[str, Row]) -> list[str]:
    """Return the ids of which something is known: not those whose links were all ruled wrong."""
    return [id_ for id_ in {**profiles, **seen} if id_ in seen or profiles[id_]["created_at"]]


def _join(known: str, profile: Row, seen: Row) -> dict[str, Any]:
    moments = [at for at in (profile.get("created_at"), seen.get("first_seen_at")) if at]
    doc = msgspec.json.decode(profile.get("doc", "{}"))
    return {
        **seen,
        "id": known,
        "doc": doc,
        "last_ip": seen.get("last_ip") or text(doc, "ip_address"),
        "company_id": profile.get("company_id") or seen.get("company_id", ""),
        "created_at": min(moments),
        "modified_at": profile.get("modified_at") or min(moments),
        "changed_offset": max(profile.get("version", 0), seen.get("version", 0)),
    }


def _to_person(row: dict[str, Any]) -> dict[str, Any]:
    doc = row["doc"]
    user_agent = row.get("last_user_agent") or text(doc, "user_agent_string")
    return {
        **row,
        **person_traits(doc),
        "last_user_agent": user_agent,
        "agent": parse_agent(user_agent),
    }


def _to_company(row: dict[str, Any]) -> dict[str, Any]:
    doc = row["doc"]
    return {**row, "name": company_name(doc), "domain": company_domain(doc)}


def _to_subscription(row: Row) -> dict[str, Any]:
    doc = msgspec.json.decode(row["doc"])
    return {**row, "doc": doc, "status": text(doc, "status")}
