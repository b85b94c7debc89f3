"""A small world for identity: a store, a configuration database, and what ingest does with both.

In: ranges of calls, actions and updates. Out: they are stored the way ingest stores them, and every
table can be held against a plain recount.
"""

import itertools
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from headwater.base.clock import SystemClock
from headwater.base.crash import crash_point
from headwater.base.settings import ConfigDbSettings, EventStoreSettings, IdentitySettings
from headwater.configdb import ConfigDb, Position, migrate, write_position
from headwater.eventlog import Entry
from headwater.eventstore import EventStore
from headwater.ingest.actions import put_client as put_action_client
from headwater.ingest.batch import decode_entries
from headwater.ingest.owners import put_owners
from headwater.ingest.rows import to_call_lines
from headwater.ingest.steps import put_client
from headwater.model import Action, ApiCall, LinkRuling, ProfileUpdate
from headwater.profiles import Identity, Profiles, Relinking
from tests.support.calls import NOON, encode_entry

Record = ApiCall | Action | ProfileUpdate | LinkRuling


class World:
    """Everything that identity touches."""

    def __init__(self, data: Path) -> None:
        self.store = EventStore.open(EventStoreSettings(), data)
        self.configdb = ConfigDb.open(ConfigDbSettings(), data)
        migrate(self.configdb)
        self.clock = SystemClock()
        self.settings = IdentitySettings()
        self.profiles = Profiles(self.store)
        self._offsets = itertools.count(1)
        self._apps = itertools.count(1)
        self.restart()

    def restart(self) -> None:
        """Forget what only memory held."""
        self.identity = Identity(self.store, self.settings)
        self.relinking = Relinking(
            self.store, self.configdb, self.identity, self.clock, self.settings
        )

    async def put_range(self, offset: int, records: Sequence[Record]) -> None:
        """Store a range of one log entry, as ingest does."""
        batch = decode_entries([Entry(offset, encode_entry(records), NOON)])
        token = f"calls:{offset}-{offset}"
        async with self.identity.turn:
            await self.set_position(Position(offset, (offset, offset)))
            both = [*batch.calls, *batch.actions]
            await put_owners(
                self.identity, both, batch.updates, rulings=batch.rulings, offset=offset
            )
            crash_point("world.learned")
            for call in batch.calls:
                put_client(call)
            if batch.calls:
                lines = to_call_lines(batch.calls)
                await self.store.insert_lines("landing", lines, token=token)
            for action in batch.actions:
                put_action_client(action)
            if batch.actions:
                lines = to_call_lines(batch.actions)
                await self.store.insert_lines("actions_landing", lines, token=f"{token}:actions")
            crash_point("world.stored")
            await self.profiles.fold(batch.updates, token=token)
            await self.set_position(Position(offset + 1))

    async def put(self, records: Sequence[Record]) -> None:
        """Store the next range."""
        await self.put_range(next(self._offsets), records)

    async def relink(self) -> None:
        """Work off every link that came, what a death left undone included."""
        for _ in ("what was begun", "what came since"):
            await self.relinking.step()

    def new_app(self) -> str:
        """Return an app that nobody else uses."""
        return f"app_of_world_{next(self._apps)}"

    async def set_position(self, position: Position) -> None:
        await self.configdb.run(write_position, self.clock, "ingest", "calls", position)

    def close(self) -> None:
        self.store.close()
        self.configdb.close()


def expected_owners(records: Sequence[Record]) -> dict[str, tuple[str, str]]:
    """Return the user and company of each call and action, by the rule in its plainest form."""
    links: dict[tuple[str, str], list[tuple[datetime, str]]] = defaultdict(list)
    apart = {(r.kind, r.key, r.user_id) for r in records if isinstance(r, LinkRuling)}
    for r in records:
        if isinstance(r, LinkRuling):
            continue
        at, user = r.time, r.id if isinstance(r, ProfileUpdate) else r.user_id
        if isinstance(r, ProfileUpdate):
            at = min(at, r.received_at)
        for key in (("session", r.session_key), ("anonymous", r.anonymous_id)):
            if user and key[1] and (*key, user) not in apart:
                links[key].append((at, user))
        if user and r.company_id:
            links["user", user].append((at, r.company_id))
    owners = {}
    for r in records:
        if not isinstance(r, ProfileUpdate | LinkRuling):
            user = (
                r.user_id
                or _named(links["session", r.session_key], r.time, most=1)
                or _named(links["anonymous", r.anonymous_id], r.time)
            )
            company = r.company_id or (_named(links["user", user], r.time) if user else "")
            owners[_id(r)] = (user, company)
    return owners


def _named(seen: list[tuple[datetime, str]], at: datetime, most: int = 16) -> str:
    """Whom a key names at a moment: by a walk over all days on which it was seen."""
    days: dict[tuple[str, Any], datetime] = {}
    for when, value in seen:
        if value:
            day = (value, when.date() if most > 1 else None)
            days[day] = min(when, days.get(day, when))
    rows = sorted((when, value) for (value, _), when in days.items())
    distinct: list[str] = []
    shared_from = None
    for when, value in rows:
        if value not in distinct:
            distinct.append(value)
            if len(distinct) > most and shared_from is None:
                shared_from = when
    if shared_from is not None:
        rows = [(when, value) for when, value in rows if when < shared_from] + [(shared_from, "")]
    if not rows:
        return ""
    name = rows[0][1]
    for when, value in rows:
        if when <= at:
            name = value
    return name


def _id(record: ApiCall | Action) -> str:
    return record.call_id if isinstance(record, ApiCall) else record.action_id


async def stored_owners(store: EventStore, app_id: str) -> dict[str, tuple[str, str]]:
    """Return the user and company of each stored call and action; each is there once."""
    rows = await store.select(
        "SELECT call_id AS id, user_id, company_id FROM calls WHERE app_id = {app_id:String}"
        " UNION ALL"
        " SELECT action_id, user_id, company_id FROM actions WHERE app_id = {app_id:String}",
        {"app_id": app_id},
    )
    assert len({row["id"] for row in rows}) == len(rows)
    return {row["id"]: (row["user_id"], row["company_id"]) for row in rows}


async def read_derived(store: EventStore, app_id: str) -> dict[str, Any]:
    """Return what the derived tables say of people and companies."""
    app = {"app_id": app_id}
    activity = await store.select(
        "SELECT user_id, slot, sum(calls) AS calls, sum(successes) AS successes,"
        " sum(client_errors) AS client_errors, sum(server_errors) AS server_errors,"
        " sum(blocked) AS blocked FROM activity WHERE app_id = {app_id:String}"
        " GROUP BY user_id, slot HAVING calls > 0",
        app,
    )
    people = await store.select(
        "SELECT s.user_id AS id, min(s.first_seen_at) AS first, max(s.last_seen_at) AS last,"
        " min(s.first_success_at) AS success, max(s.last_ip).value AS ip,"
        " max(s.last_user_agent).value AS agent, max(s.last_company_id).value AS company,"
        " max(s.last_call).call_id AS call, sum(s.calls) AS calls"
        " FROM people_seen AS s WHERE s.app_id = {app_id:String} GROUP BY s.user_id",
        app,
    )
    companies = await store.select(
        "SELECT s.company_id AS id, min(s.first_seen_at) AS first, max(s.last_seen_at) AS last,"
        " min(s.first_success_at) AS success, max(s.last_ip).value AS ip, sum(s.calls) AS calls"
        " FROM companies_seen AS s WHERE s.app_id = {app_id:String} GROUP BY s.company_id",
        app,
    )
    days = await store.select(
        "SELECT DISTINCT company_id, day FROM company_days WHERE app_id = {app_id:String}", app
    )
    return {
        "company_days": {(row["company_id"], row["day"]) for row in days},
        "activity": {(row["user_id"], row["slot"]): row for row in activity},
        "people": {row["id"]: row for row in people},
        "companies": {row["id"]: row for row in companies},
    }


def expected_derived(records: Sequence[Record]) -> dict[str, Any]:
    """Return the same from a straight recount of the records and their expected owners."""
    owners = expected_owners(records)
    events = [
        (*owners[_id(r)], r) for r in records if not isinstance(r, ProfileUpdate | LinkRuling)
    ]
    by_user: dict[str, list[Any]] = defaultdict(list)
    by_company: dict[str, list[Any]] = defaultdict(list)
    slots: dict[Any, list[ApiCall]] = defaultdict(list)
    for user, company, r in events:
        if user:
            by_user[user].append((company, r))
        if company:
            by_company[company].append((company, r))
        if user and isinstance(r, ApiCall):
            at = r.time.replace(minute=r.time.minute // 15 * 15, second=0, microsecond=0)
            slots[user, at].append(r)
    return {
        "company_days": {
            (company, r.time.date())
            for _, company, r in events
            if company and isinstance(r, ApiCall)
        },
        "activity": {key: _activity(key, calls) for key, calls in slots.items()},
        "people": {user: _person(user, some) for user, some in by_user.items()},
        "companies": {company: _company(company, some) for company, some in by_company.items()},
    }


def _activity(key: Any, calls: list[ApiCall]) -> dict[str, Any]:
    def count(low: int, high: int) -> int:
        return sum(c.weight for c in calls if low <= c.status < high)

    return {
        "user_id": key[0],
        "slot": key[1],
        "calls": sum(c.weight for c in calls),
        "successes": count(200, 400),
        "client_errors": count(400, 500),
        "server_errors": count(500, 600),
        "blocked": sum(c.weight for c in calls if c.blocked_by),
    }


def _company(company: str, some: list[Any]) -> dict[str, Any]:
    records = [r for _, r in some]
    calls = [r for r in records if isinstance(r, ApiCall)]
    return {
        "id": company,
        "first": min(r.time for r in records),
        "last": max(r.time for r in records),
        "success": min((c.time for c in calls if 200 <= c.status < 400), default=None),
        "ip": max(((r.time, _id(r), r.ip_address) for r in records if r.ip_address), default=("",))[
            -1
        ],
        "calls": sum(c.weight for c in calls),
    }


def _person(user: str, some: list[Any]) -> dict[str, Any]:
    plain = _company(user, some)
    agents = [
        (r.time, _id(r), agent)
        for _, r in some
        if (
            agent := r.request_headers.get("user-agent", "")
            if isinstance(r, ApiCall)
            else r.user_agent
        )
    ]
    companies = [(r.time, _id(r), company) for company, r in some if company]
    calls = [(r.time, r.call_id) for _, r in some if isinstance(r, ApiCall)]
    return plain | {
        "agent": max(agents, default=("",))[-1],
        "company": max(companies, default=("",))[-1],
        "call": max(calls, default=("",))[-1],
    }


def an_update(**facts: Any) -> ProfileUpdate:
    """Return a profile update of a user."""
    plain = ProfileUpdate(
        app_id="app_1", kind="user", id="", update_id="update", time=NOON, received_at=NOON
    )
    return msgspec.structs.replace(plain, **facts)
