"""Fill a store with users, by the engine itself: a million in a minute, as ingest would leave them.

In: a store, an app, how many users, the present. Out: calls and profiles, and the log offsets up to
which they reach. Each user has a profile, two calls within the last weeks, and every fifth user
five more within the last day and a half: these are the changed ones.
"""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from headwater.eventstore import EventStore

CHANGED_EVERY = 5
_CALLS_OF_ALL = 2
_CALLS_OF_CHANGED = 5
_ROWS_AT_ONCE = 500_000
_ROWS_AN_ENTRY = 50

# A user's number is spread over the whole range, so that changed users lie among the others.
_CALLS = """
INSERT INTO landing (
    app_id, time, call_id, user_id, company_id, verb, route, uri, status, duration_ms, client_name,
    client_version, ip_address, request_bytes, response_bytes, received_at, log_offset, user_agent
)
SELECT
    {app_id:String},
    fromUnixTimestamp64Micro(
        {end:Int64} - toInt64(cityHash64(number, 1) % {span:UInt64}), 'UTC'
    ) AS at,
    concat({token:String}, '-', toString(number)),
    concat('user-', leftPad(toString(intDiv(number, {each:UInt64}) * {step:UInt64}), 8, '0')),
    concat('company-', toString(intDiv(number, {each:UInt64}) % 20000)),
    ['GET', 'GET', 'GET', 'POST'][1 + cityHash64(number, 2) % 4],
    concat(
        '/v1/', ['items', 'orders', 'users', 'search', 'reports'][1 + cityHash64(number, 3) % 5],
        ['', '/:id'][1 + cityHash64(number, 4) % 2]
    ),
    '/v1/items/1',
    [200, 200, 200, 200, 201, 204, 304, 400, 404, 429, 500][1 + cityHash64(number, 5) % 11],
    exp(2 + (cityHash64(number, 6) % 1000000) / 250000),
    ['python-requests', 'curl', 'node-fetch'][1 + cityHash64(number, 7) % 3],
    toString(cityHash64(number, 8) % 5),
    '203.0.113.7', cityHash64(number, 9) % 2000, cityHash64(number, 10) % 20000, at,
    {offset:UInt64} + intDiv(number, 50),
    'python-requests/2.31'
FROM numbers({first:UInt64}, {rows:UInt64})
"""
_PROFILES = """
INSERT INTO profiles (
    app_id, kind, id, version, state, doc, company_id, anonymous, anonymous_ids, created_at,
    modified_at
)
SELECT
    {app_id:String}, 'user', concat('user-', leftPad(toString(number), 8, '0')) AS user,
    1 + intDiv(number, 50), '{}',
    concat(
        '{"metadata":{"email":"', user, '@example.com","name":"User ', toString(number),
        '","plan":"free","seats":3},"campaign":{"utm_source":"ads","utm_medium":"cpc"}}'
    ),
    concat('company-', toString(number % 20000)), false, [],
    fromUnixTimestamp64Micro({end:Int64} - 9000000000000, 'UTC'),
    fromUnixTimestamp64Micro({end:Int64} - 8000000000000, 'UTC')
FROM numbers({users:UInt64})
"""


class Population(msgspec.Struct, frozen=True):
    """What was filled in."""

    users: int
    changed: int
    before: int
    """The log offset up to which nobody had changed."""
    last: int


async def populate(store: EventStore, app_id: str, users: int, now: datetime) -> Population:
    """Fill the store, and let it merge what it can, as a store that runs for long has done."""
    end_us = int(now.timestamp() * 1_000_000)
    await store.change(_PROFILES, {"app_id": app_id, "end": end_us, "users": users})
    changed = users // CHANGED_EVERY
    old: dict[str, Any] = {
        "token": "old",
        "each": _CALLS_OF_ALL,
        "step": 1,
        "span": _us(timedelta(days=26)),
    }
    old["end"] = end_us - _us(timedelta(days=2))
    before = await _insert(store, app_id, old, users * _CALLS_OF_ALL, users // _ROWS_AN_ENTRY + 1)
    new: dict[str, Any] = {
        "token": "new",
        "each": _CALLS_OF_CHANGED,
        "step": CHANGED_EVERY,
        "end": end_us,
    }
    new["span"] = _us(timedelta(hours=34))
    last = await _insert(store, app_id, new, changed * _CALLS_OF_CHANGED, before)
    for table in ("calls", "activity", "people_seen", "companies_seen", "profiles"):
        await store.change(f"OPTIMIZE TABLE {table} FINAL")
    return Population(users=users, changed=changed, before=before, last=last)


async def _insert(
    store: EventStore, app_id: str, facts: dict[str, Any], rows: int, offset: int
) -> int:
    """Insert calls behind a log offset; return how far they reach."""
    place = {"app_id": app_id, "offset": offset + 1}
    for first in range(0, rows, _ROWS_AT_ONCE):
        count = min(_ROWS_AT_ONCE, rows - first)
        await store.change(_CALLS, {**facts, **place, "first": first, "rows": count})
    return offset + 1 + rows // _ROWS_AN_ENTRY


def _us(span: timedelta) -> int:
    return span // timedelta(microseconds=1)
