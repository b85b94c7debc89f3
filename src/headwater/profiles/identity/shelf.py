"""Remember what is known of the keys that came by lately; ask the store for the others.

In: keys. Out: what is known of each. Bounded: keys that did not come by for a while are forgotten
here, never in the store. One question for a batch, never one for a call.
"""

from collections import defaultdict
from collections.abc import Collection
from typing import NamedTuple

from headwater.eventstore import EventStore
from headwater.profiles.identity.known import Known, Seen, learn
from headwater.profiles.identity.links import Key, Kind

_KEYS_PER_QUESTION = 20_000
_LINKS = """
SELECT app_id, kind, key, value, day, min(at) AS first_at, false AS is_apart FROM links
WHERE (app_id, kind) IN {scopes:Array(Tuple(String, String))} AND key IN {keys:Array(String)}
GROUP BY app_id, kind, key, value, day
UNION ALL
SELECT app_id, kind, key, value, toDate(said_at), said_at, true FROM (
    SELECT * FROM link_rulings
    WHERE (app_id, kind) IN {scopes:Array(Tuple(String, String))} AND key IN {keys:Array(String)}
    ORDER BY said_at DESC, ruling_id DESC LIMIT 1 BY app_id, kind, key, value
)
WHERE verdict = 'apart'
"""


class Evidence(NamedTuple):
    """All that the store holds of a key: also what somebody ruled out since."""

    seen: tuple[Seen, ...]
    apart: frozenset[str]

    def learn(self, kind: Kind) -> Known:
        """Return what it tells together."""
        return learn(kind, self.seen, self.apart)


async def read_seen(store: EventStore, keys: Collection[Key]) -> dict[Key, Evidence]:
    """Return the evidence that the store holds of each key."""
    seen: defaultdict[Key, list[Seen]] = defaultdict(list)
    apart: defaultdict[Key, set[str]] = defaultdict(set)
    wanted = sorted(keys)
    for start in range(0, len(wanted), _KEYS_PER_QUESTION):
        some = wanted[start : start + _KEYS_PER_QUESTION]
        asked = {
            "scopes": sorted({(app_id, kind) for app_id, kind, _ in some}),
            "keys": sorted({key for _, _, key in some}),
        }
        for row in await store.select(_LINKS, asked):
            key = (row["app_id"], row["kind"], row["key"])
            if row["is_apart"]:
                apart[key].add(row["value"])
            else:
                seen[key].append(Seen(row["value"], row["day"].toordinal(), row["first_at"]))
    return {
        key: Evidence(tuple(seen.get(key, ())), frozenset(apart.get(key, ()))) for key in wanted
    }


class Shelf:
    """What is known of at most `most` keys."""

    def __init__(self, store: EventStore, most: int) -> None:
        self._store = store
        self._half = max(1, most // 2)
        self._young: dict[Key, Known] = {}
        self._old: dict[Key, Known] = {}

    async def read(self, keys: Collection[Key]) -> dict[Key, Known]:
        """Return what is known of each of the keys: nothing is known of some."""
        known = {key: found for key in keys if (found := self._find(key)) is not None}
        if len(known) < len(keys):
            missing = [key for key in keys if key not in known]
            for key, evidence in (await read_seen(self._store, missing)).items():
                known[key] = evidence.learn(key[1])
                self.put(key, known[key])
        return known

    def put(self, key: Key, known: Known) -> None:
        """Keep what is known of a key."""
        if len(self._young) >= self._half and key not in self._young:
            self._young, self._old = {}, self._young
        self._young[key] = known

    def forget(self, keys: Collection[Key]) -> None:
        """Ask the store about these keys when they come by again."""
        for key in keys:
            self._young.pop(key, None)
            self._old.pop(key, None)

    def _find(self, key: Key) -> Known | None:
        known = self._young.get(key)
        if known is None and (known := self._old.pop(key, None)) is not None:
            self.put(key, known)
        return known

    def __len__(self) -> int:
        return len(self._young) + len(self._old)
