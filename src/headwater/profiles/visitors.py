"""Say which words of visitors are whose: a visitor's profile becomes the user's with the link.

In: users, and the links that name them. Out: voices: a visitor's id with the time during which it
names the user. The rule is that of calls (`identity.known`), so a profile and a timeline agree.
Nothing is moved: a link that is undone takes its words along.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from headwater.eventstore import EventStore
from headwater.profiles.identity.known import NOBODY, Known
from headwater.profiles.identity.links import Key
from headwater.profiles.identity.shelf import read_seen

# What the store's DateTime64 can hold.
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2261, 1, 1, tzinfo=UTC)
_LAST = LATEST - timedelta(microseconds=1)

_VISITORS = """
SELECT DISTINCT id FROM profile_changes
WHERE app_id = {app_id:String} AND kind = 'user' AND anonymous AND id IN (
    SELECT key FROM keys_of_users
    WHERE app_id = {app_id:String} AND user_id IN {users:Array(String)} AND kind = 'anonymous'
)
"""
_ALL_VISITORS = """
SELECT DISTINCT id FROM profile_changes
WHERE app_id = {app_id:String} AND kind = 'user' AND anonymous
"""
_SPOKEN = """
SELECT DISTINCT id FROM profile_changes
WHERE app_id = {app_id:String} AND kind = 'user' AND anonymous AND id IN {ids:Array(String)}
"""


class Voice(NamedTuple):
    """What was said under `id` from `start` until before `end` was said of one user."""

    id: str
    start: datetime
    end: datetime
    is_visitor: bool = True

    def is_of(self, row: Mapping[str, Any]) -> bool:
        """Tell whether a row of the history is this voice."""
        return bool(row["anonymous"] == self.is_visitor and self.start <= row["time"] < self.end)


Voices = Mapping[str, Sequence[Voice]]
"""By user id."""


async def read_voices(
    store: EventStore, app_id: str, users: Collection[str]
) -> dict[str, list[Voice]]:
    """Return the visitors' voices of each of these users who has some."""
    asked = {"app_id": app_id, "users": sorted(users)}
    visitors = [row["id"] for row in await store.select(_VISITORS, asked)] if users else []
    everybody = await _voices_of(store, app_id, visitors)
    return {user_id: some for user_id, some in everybody.items() if user_id in users}


async def read_all_voices(store: EventStore, app_id: str) -> dict[str, list[Voice]]:
    """Return the visitors' voices of every user of an app who has some."""
    rows = await store.select(_ALL_VISITORS, {"app_id": app_id})
    return await _voices_of(store, app_id, [row["id"] for row in rows])


async def _voices_of(
    store: EventStore, app_id: str, visitors: Collection[str]
) -> dict[str, list[Voice]]:
    found: defaultdict[str, list[Voice]] = defaultdict(list)
    for (_, _, visitor), known in (await _read_known(store, app_id, visitors)).items():
        for name, start, end in spans(known):
            found[name].append(Voice(visitor, start, end))
    return dict(found)


async def find_visitors(store: EventStore, app_id: str, browsers: Collection[str]) -> list[str]:
    """Return those browsers as whose visitor something was said."""
    asked = {"app_id": app_id, "ids": sorted(browsers)}
    rows = await store.select(_SPOKEN, asked) if browsers else []
    return [row["id"] for row in rows]


async def users_behind(
    store: EventStore, app_id: str, visitors: Collection[str]
) -> dict[str, set[str]]:
    """Return everybody whom each of these visitors ever turned out to be."""
    known = await _read_known(store, app_id, visitors)
    return {visitor: {*some.names} - {NOBODY} for (_, _, visitor), some in known.items()}


async def _read_known(
    store: EventStore, app_id: str, visitors: Collection[str]
) -> dict[Key, Known]:
    keys: list[Key] = [(app_id, "anonymous", visitor) for visitor in visitors]
    seen = await read_seen(store, keys) if keys else {}
    return {key: evidence.learn("anonymous") for key, evidence in seen.items()}


def spans(known: Known) -> Iterator[tuple[str, datetime, datetime]]:
    """Yield whom a key names from when until when; the first name holds before its link, too."""
    starts = (EARLIEST, *known.starts[1:], LATEST)
    for name, (start, end) in zip(known.names, pairwise(starts), strict=bool(known.names)):
        if name != NOBODY:
            yield name, start, end


def within_reach(at: datetime) -> datetime:
    """Return the moment that the store can hold which is next to this one."""
    return min(max(at, EARLIEST), _LAST)
