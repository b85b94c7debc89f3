"""Make the messages of people: ask for their companies and numbers, then compose and fit.

In: a window and people. Out: what the outbox takes, in its order. Reads profiles; writes nothing.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta

from headwater.configdb import ConfigDb
from headwater.extensions.segment.identify import Activity, compose
from headwater.extensions.segment.outbox import Item, known_ids
from headwater.extensions.segment.trim import encode_within_limit
from headwater.extensions.segment.windows import Window
from headwater.model import Rollup
from headwater.profiles import Company, Person, Profiles, day_window

_ROLLING = timedelta(hours=24)


async def make_new_messages(
    profiles: Profiles, configdb: ConfigDb, window: Window, user_ids: Sequence[str]
) -> list[Item]:
    """Return the messages of those users whose window never entered the outbox."""
    people = await profiles.people(window.app.id, user_ids)
    by_id = {window.id_of(person): person for person in people.values()}
    known = await configdb.run(known_ids, window.connection.id, list(by_id))
    return await make_messages(
        profiles, window, [person for id_, person in by_id.items() if id_ not in known]
    )


async def make_messages(profiles: Profiles, window: Window, people: Sequence[Person]) -> list[Item]:
    """Return each person's message."""
    if not people:
        return []
    ids = [person.id for person in people]
    companies = await profiles.companies(window.app.id, sorted({p.company_id for p in people}))
    days = await _read_day(profiles, window, ids)
    rolling = await _read_rolling(profiles, window, ids)
    return await asyncio.to_thread(_write, window, people, companies, days, rolling)


async def _read_day(profiles: Profiles, window: Window, ids: Sequence[str]) -> dict[str, Rollup]:
    zone = window.app.timezone
    start, end = day_window(zone, window.day)
    return await profiles.rollups(window.app.id, zone, ids, start, end, day=window.day)


async def _read_rolling(
    profiles: Profiles, window: Window, ids: Sequence[str]
) -> dict[str, Rollup]:
    if window.connection.payload_version != "current":
        return {}
    start, zone = window.now - _ROLLING, window.app.timezone
    return await profiles.rollups(window.app.id, zone, ids, start, window.now, day=None)


def _write(
    window: Window,
    people: Sequence[Person],
    companies: Mapping[str, Company],
    days: Mapping[str, Rollup],
    rolling: Mapping[str, Rollup],
) -> list[Item]:
    items: list[Item] = []
    for person in people:
        id_ = window.id_of(person)
        message = compose(
            person,
            companies.get(person.company_id),
            Activity(day=days[person.id], last_24_hours=rolling.get(person.id)),
            version=window.connection.payload_version,
            id_=id_,
            at=window.now,
        )
        payload = encode_within_limit(message)
        items.append(Item(message_id=id_, user_id=person.id, payload=payload))
    return sorted(items, key=lambda item: item.message_id)
