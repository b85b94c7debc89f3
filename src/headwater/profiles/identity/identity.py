"""Learn links from a range of the log, and find users and companies for its calls.

In: the callers and profile updates of one range, range after range, each known by its offset. Out:
new links in the store; an owner for each caller that lacks one. A range that is worked on again
gives the same owners: only links of this range and of earlier ones are in the store then, and links
learned twice are the same links (ADR 0014).
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

import pyarrow as pa

from headwater.base.ids import new_id
from headwater.base.settings import IdentitySettings
from headwater.base.telemetry import LINKS_LEARNED
from headwater.eventstore import EventStore
from headwater.model import LinkRuling, ProfileUpdate
from headwater.profiles.identity.known import Known, Seen, learn
from headwater.profiles.identity.links import (
    Caller,
    Fact,
    Facts,
    Key,
    Link,
    Owner,
    Source,
    gather_facts,
    to_links,
)
from headwater.profiles.identity.rulings import write_rulings
from headwater.profiles.identity.shelf import Shelf
from headwater.profiles.identity.whose import find_owners, group

_SCHEMA = pa.schema(
    [
        ("app_id", pa.string()),
        ("kind", pa.string()),
        ("key", pa.string()),
        ("value", pa.string()),
        ("day", pa.date32()),
        ("at", pa.timestamp("us", "UTC")),
        ("said", pa.struct([("at", pa.timestamp("us", "UTC")), ("by", pa.string())])),
        ("log_offset", pa.uint64()),
    ]
)


class Identity:
    """What ingest asks, range after range; one range at a time."""

    def __init__(self, store: EventStore, settings: IdentitySettings) -> None:
        self._store = store
        self._shelf = Shelf(store, settings.max_keys)
        self._told: dict[Fact, datetime] = {}
        self._most_told = settings.max_keys
        self.turn = asyncio.Lock()
        """Held while a range is stored, and while history is counted again: never both."""

    async def heed(self, rulings: Sequence[LinkRuling], *, offset: int) -> None:
        """Keep what people ruled in a range, before its links are learned. Safe to repeat."""
        if rulings:
            await write_rulings(self._store, rulings, offset)
            self._shelf.forget([(r.app_id, r.kind, r.key) for r in rulings])
            self._told.clear()  # what was ruled out did not count, and may from now on

    async def learn(
        self, callers: Iterable[Caller], updates: Iterable[ProfileUpdate], *, offset: int
    ) -> None:
        """Keep the links that a range holds; `offset` is its last. Safe to repeat."""
        # A thread leaves the event loop to those who wait for it.
        facts = self._untold(await asyncio.to_thread(gather_facts, callers, updates))
        said = to_links(facts)
        known = await self._shelf.read({link.key for link in said})
        news = {
            link: source
            for link, source in said.items()
            if known[link.key].is_news(link.value, link.day, source.at)
        }
        if news:
            # Any token: the same link twice is one link.
            await self._store.insert("links", _to_rows(news, offset), token=new_id("links"))
            self._take_in(known, news)
            LINKS_LEARNED.inc(len(news))
        self._told |= {fact: source.at for fact, source in facts.items()}

    def _untold(self, facts: Facts) -> Facts:
        """Return what was not told before, or only later in its day: nearly nothing."""
        if len(self._told) > self._most_told:
            self._told.clear()
        told = self._told
        return {
            fact: source
            for fact, source in facts.items()
            if (before := told.get(fact)) is None or source.at < before
        }

    def _take_in(self, known: Mapping[Key, Known], news: Mapping[Link, Source]) -> None:
        by_key: dict[Key, list[Seen]] = {}
        for link, source in news.items():
            by_key.setdefault(link.key, []).append(Seen(link.value, link.day, source.at))
        for key, seen in by_key.items():
            if {*known[key].names, *(s.value for s in seen)} == {seen[0].value}:
                self._shelf.put(key, _add(key, known[key], seen))
            else:
                # Where values follow on each other every day counts, and the shelf keeps no days.
                self._shelf.forget([key])

    async def attribute(self, callers: Sequence[Caller]) -> list[tuple[int, Owner]]:
        """Return an owner for each caller, by its place, that lacks a user or company we know."""
        groups = await asyncio.to_thread(group, callers)
        known = await self._shelf.read({key for said in groups for key in said.keys})
        known |= await self._shelf.read({key for said in groups for key in said.users(known)})
        return [
            found
            for said, places in groups.items()
            for found in find_owners(said, places, lambda place: callers[place].time, known)
        ]


def _add(key: Key, known: Known, seen: Sequence[Seen]) -> Known:
    return learn(key[1], (*known.evidence, *seen), known.apart)


def _to_rows(news: Mapping[Link, Source], offset: int) -> pa.Table:
    rows = [
        {
            "app_id": link.key[0],
            "kind": link.key[1],
            "key": link.key[2],
            "value": link.value,
            "day": date.fromordinal(link.day),
            "at": source.at,
            "said": source._asdict(),
            "log_offset": offset,
        }
        for link, source in sorted(news.items())
    ]
    return pa.Table.from_pylist(rows, _SCHEMA)
