"""Read people, companies and subscriptions: what was said of them, and what their calls showed.

In: ids, how the app reads profiles, the time. Out: nouns of `people`, for all ids at once: a fixed
number of questions, however many ids. As of a moment, calls are counted up to it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from headwater.eventstore import MANY_IDS, EventStore, as_time
from headwater.model import ProfileRules
from headwater.profiles.agent import parse_agent
from headwater.profiles.companies import read_company_since
from headwater.profiles.history import own_voice, read_states, to_us
from headwater.profiles.lifecycle import Standing, read_standings
from headwater.profiles.merge import ProfileState, to_document
from headwater.profiles.people import Company, Person, Subscription
from headwater.profiles.rows import (
    COMPANIES_SEEN,
    KEYS,
    PEOPLE_SEEN,
    PROFILES,
    SEEN_UNTIL,
    Asked,
    Keys,
    Said,
    Seen,
    read_rows,
)
from headwater.profiles.success import first_success, success_sql
from headwater.profiles.traits import company_domain, company_name, person_traits, text
from headwater.profiles.visitors import Voice, read_voices

_NOTHING_SAID, _NEVER_SEEN, _NO_KEYS = Said(), Seen(), Keys()
_NO_STANDING = Standing("")
_NONE: Mapping[str, Any] = {}
_NOBODY_ELSE: Mapping[str, Sequence[Voice]] = {}


async def read_people(
    store: EventStore,
    app_id: str,
    ids: Sequence[str],
    rules: ProfileRules,
    now: datetime | None,
) -> dict[str, Person]:
    """Return those of `ids` that are known; how they stand, only at a moment `now`."""
    asked = _asked(app_id, "user", ids)
    if not asked["ids"]:
        return {}
    said, seen, keys, since, standings, successes = await asyncio.gather(
        read_rows(store, Said, PROFILES, asked),
        read_rows(store, Seen, PEOPLE_SEEN, asked),
        read_rows(store, Keys, KEYS, asked),
        read_company_since(store, app_id, asked["ids"]),
        _standings(store, asked, rules, now),
        first_success(store, app_id, "user", asked["ids"], rules.success),
    )

    def draw() -> dict[str, Person]:
        found: dict[str, Person] = {}
        for id_ in _exist(said, seen):
            own = keys.get(id_, _NO_KEYS)
            person = _to_person(id_, said.get(id_, _NOTHING_SAID), seen.get(id_, _NEVER_SEEN))
            found[id_] = Person(
                **person | successes.get(id_, _NONE),
                anonymous_ids=own.anonymous_ids,
                session_keys=own.session_keys,
                company_since=since.get((id_, person["company_id"])),
                **_stands(standings, id_),
            )
        return found

    return await asyncio.to_thread(draw)  # a page of thousands takes its time


async def read_companies(
    store: EventStore,
    app_id: str,
    ids: Sequence[str],
    rules: ProfileRules,
    now: datetime | None,
) -> dict[str, Company]:
    """Return those of `ids` that are known; how they stand, only at a moment `now`."""
    asked = _asked(app_id, "company", ids)
    if not asked["ids"]:
        return {}
    said, seen, standings, successes = await asyncio.gather(
        read_rows(store, Said, PROFILES, asked),
        read_rows(store, Seen, COMPANIES_SEEN, asked),
        _standings(store, asked, rules, now),
        first_success(store, app_id, "company", asked["ids"], rules.success),
    )

    def draw() -> dict[str, Company]:
        found: dict[str, Company] = {}
        for id_ in _exist(said, seen):
            company = _to_company(id_, said.get(id_, _NOTHING_SAID), seen.get(id_, _NEVER_SEEN))
            found[id_] = Company(
                **company | successes.get(id_, _NONE),
                **_stands(standings, id_),
            )
        return found

    return await asyncio.to_thread(draw)


async def read_subscriptions(
    store: EventStore, app_id: str, ids: Sequence[str]
) -> dict[str, Subscription]:
    """Return those of `ids` that are known."""
    asked = _asked(app_id, "subscription", ids)
    return _to_subscriptions(await read_rows(store, Said, PROFILES, asked) if asked["ids"] else {})


def _to_subscriptions(rows: Mapping[str, Said]) -> dict[str, Subscription]:
    found: dict[str, Subscription] = {}
    for id_, row in rows.items():
        if row.created_at is not None and row.modified_at is not None:
            doc = msgspec.json.decode(row.doc)
            found[id_] = Subscription(
                id=id_, company_id=row.company_id, status=text(doc, "status"),
                created_at=row.created_at, modified_at=row.modified_at, doc=doc,
            )  # fmt: skip
    return found


async def read_people_as_of(
    store: EventStore, app_id: str, ids: Sequence[str], at: datetime, rules: ProfileRules
) -> dict[str, Person]:
    """Return those of `ids` that were known at a moment, as they were then.

    Links are those of today: what is known now of who was behind a browser holds for then, too.
    """
    asked = _asked(app_id, "user", ids)
    visitors = await read_voices(store, app_id, set(asked["ids"])) if asked["ids"] else {}
    (said, seen), standings = await asyncio.gather(
        _as_of(store, asked, at, rules, visitors), _standings(store, asked, rules, at, as_then=True)
    )
    return {
        id_: Person(
            **_to_person(id_, said.get(id_, _NOTHING_SAID), seen.get(id_, _NEVER_SEEN)),
            **_stands(standings, id_),
        )
        for id_ in {**said, **seen}
    }


async def read_companies_as_of(
    store: EventStore, app_id: str, ids: Sequence[str], at: datetime, rules: ProfileRules
) -> dict[str, Company]:
    """Return those of `ids` that were known at a moment, as they were then."""
    asked = _asked(app_id, "company", ids)
    (said, seen), standings = await asyncio.gather(
        _as_of(store, asked, at, rules), _standings(store, asked, rules, at, as_then=True)
    )
    return {
        id_: Company(
            **_to_company(id_, said.get(id_, _NOTHING_SAID), seen.get(id_, _NEVER_SEEN)),
            **_stands(standings, id_),
        )
        for id_ in {**said, **seen}
    }


async def read_subscriptions_as_of(
    store: EventStore, app_id: str, ids: Sequence[str], at: datetime
) -> dict[str, Subscription]:
    """Return those of `ids` that had been described by a moment, as they were then."""
    asked = _asked(app_id, "subscription", ids)
    voices = {id_: [own_voice(id_)] for id_ in asked["ids"]}
    states = await read_states(store, app_id, voices, at, "subscription")
    return _to_subscriptions({id_: _as_said(state) for id_, state in states.items()})


async def _as_of(
    store: EventStore,
    asked: Asked,
    at: datetime,
    rules: ProfileRules,
    visitors: Mapping[str, Sequence[Voice]] = _NOBODY_ELSE,
) -> tuple[dict[str, Said], dict[str, Seen]]:
    """Return what was said and seen of users or companies until a moment."""
    if not asked["ids"]:
        return {}, {}
    voices = {id_: [own_voice(id_), *visitors.get(id_, [])] for id_ in asked["ids"]}
    condition, values = success_sql(rules.success)
    sql = SEEN_UNTIL.format(
        who=f"{asked['kind']}_id",
        first_at=as_time("min(time)"),
        last_at=as_time("max(time)"),
        success_at=as_time(f"minOrNullIf(time, {condition})"),
        many_ids=MANY_IDS,
    )
    states, seen = await asyncio.gather(
        read_states(store, asked["app_id"], voices, at, asked["kind"]),
        read_rows(store, Seen, sql, {**asked, "at": to_us(at), **values}),
    )
    return {id_: _as_said(state) for id_, state in states.items()}, seen


def _as_said(state: ProfileState) -> Said:
    doc = msgspec.json.encode(to_document(state)).decode()
    return Said(
        doc=doc,
        company_id=text(msgspec.json.decode(doc), "company_id"),
        created_at=state.created_at,
        modified_at=state.modified_at,
    )


def _asked(app_id: str, kind: str, ids: Sequence[str]) -> dict[str, Any]:
    return {"app_id": app_id, "kind": kind, "ids": sorted({*ids} - {""})}


async def _standings(
    store: EventStore,
    asked: Asked,
    rules: ProfileRules,
    now: datetime | None,
    *,
    as_then: bool = False,
) -> dict[str, Standing]:
    app_id, kind, ids = asked["app_id"], asked["kind"], asked["ids"]
    if now is None or not ids:
        return {}
    return await read_standings(store, app_id, kind, ids, rules.lifecycle, now, as_then=as_then)


def _stands(standings: Mapping[str, Standing], id_: str) -> dict[str, Any]:
    return standings.get(id_, _NO_STANDING)._asdict()


def _exist(said: Mapping[str, Said], seen: Mapping[str, Seen]) -> list[str]:
    """Return the ids of which something is known: not those whose links were all ruled wrong."""
    return [id_ for id_ in {**said, **seen} if id_ in seen or said[id_].created_at]


def _to_known(id_: str, said: Said, seen: Seen, doc: dict[str, Any]) -> dict[str, Any]:
    first = min(at for at in (said.created_at, seen.first_seen_at) if at)
    return {
        "id": id_,
        "doc": doc,
        "created_at": first,
        "modified_at": said.modified_at or first,
        "first_seen_at": seen.first_seen_at,
        "last_seen_at": seen.last_seen_at,
        "first_success_at": seen.first_success_at,
        "last_ip": seen.last_ip or text(doc, "ip_address"),
        "changed_offset": max(said.version, seen.version),
    }


def _to_person(id_: str, said: Said, seen: Seen) -> dict[str, Any]:
    doc = msgspec.json.decode(said.doc)
    user_agent = seen.last_user_agent or text(doc, "user_agent_string")
    return {
        **_to_known(id_, said, seen, doc),
        **person_traits(doc),
        "company_id": said.company_id or seen.company_id,
        "last_user_agent": user_agent,
        "agent": parse_agent(user_agent),
    }


def _to_company(id_: str, said: Said, seen: Seen) -> dict[str, Any]:
    doc = msgspec.json.decode(said.doc)
    known = _to_known(id_, said, seen, doc)
    return {**known, "name": company_name(doc), "domain": company_domain(doc)}
