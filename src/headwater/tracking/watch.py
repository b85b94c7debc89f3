"""Watch what comes through the door: how much, what was refused, and which names it has.

In: what became of messages. Out: figures, samples and schemas of `sources`, written about once a
second; what was seen in the last one is lost with the process, messages never are. Never waits, and
never holds up a request.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from headwater.base.clock import Clock
from headwater.base.errors import HeadwaterError
from headwater.base.telemetry import get_logger
from headwater.configdb import ConfigDb
from headwater.model import Message
from headwater.sources import (
    LONGEST_NAME,
    LONGEST_SAMPLE_CHARACTERS,
    MOST_NAMES,
    MOST_OF_A_REASON,
    REFUSED,
    Known,
    Name,
    Refused,
    count_messages,
    forget_old_hours,
    keep_refused,
    learn_names,
)
from headwater.tracking.rules import event_of, parts_of

_WRITE_AFTER_S = 1.0
_PRUNE_EVERY_S = 3600.0
_logger = get_logger("tracking")
_About = tuple[str, str, str]
"""Source, type, event."""
_ITSELF = None
"""Among the names of an event's properties: the event."""


class Watch:
    """Gathers in memory; one for each process."""

    def __init__(self, configdb: ConfigDb, clock: Clock) -> None:
        self._configdb = configdb
        self._clock = clock
        self._tally: Counter[tuple[str, str]] = Counter()
        self._names: dict[_About, dict[str | None, int]] = {}
        self._refused: dict[tuple[str, str], list[Refused]] = {}
        self._known: Known = {}
        self._writing: asyncio.Task[None] | None = None
        self._pruned_at_s = clock.monotonic_s()

    def count(self, what: str, by_source: Mapping[str, int]) -> None:
        """Count what became of messages of some sources."""
        for source_id, count in by_source.items():
            self._tally[source_id, what] += count
        self._wake()

    def refuse(self, source_id: str, code: str, reason: str, sample: bytes) -> None:
        """Count something refused, and keep its beginning if few were like it."""
        self._tally[source_id, REFUSED + code] += 1
        kept = self._refused.setdefault((source_id, code), [])
        if len(kept) < MOST_OF_A_REASON:
            text = sample[: LONGEST_SAMPLE_CHARACTERS * 4].decode("utf-8", "replace")
            kept.append(
                Refused(
                    source_id=source_id,
                    code=code,
                    reason=reason,
                    sample=text[:LONGEST_SAMPLE_CHARACTERS].replace("\0", "\ufffd"),
                    at=self._clock.now(),
                )
            )
        self._wake()

    def learn(self, messages: Sequence[Message]) -> None:
        """Remember the names in messages. Plain loops: this is done for every message."""
        for message in messages:
            about = (message.source_id, message.type, event_of(message))
            names = self._names.get(about)
            if names is None:
                if len(self._names) >= MOST_NAMES:
                    continue
                names = self._names[about] = {_ITSELF: 0}
            names[_ITSELF] += 1
            parts = message.body.get(parts_of(message))
            if isinstance(parts, dict):
                for name in parts:
                    names[name] = names.get(name, 0) + 1
        self._wake()

    async def close(self) -> None:
        """Write what is left."""
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)
        await self._write()

    def _wake(self) -> None:
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_soon())

    async def _write_soon(self) -> None:
        await asyncio.sleep(_WRITE_AFTER_S)
        await self._write()

    async def _write(self) -> None:
        tally, self._tally = self._tally, Counter()
        names, self._names = self._names, {}
        refused, self._refused = self._refused, {}
        seen = {
            Name(*about, name or ""): count
            for about, some in names.items()
            for name, count in some.items()
            if name != ""
        }
        short = {name: count for name, count in seen.items() if _fits(name)}
        samples = [one for some in refused.values() for one in some]
        try:
            await self._configdb.run(self._save, tally, short, samples)
        except HeadwaterError as err:  # statistics are not worth a message: they start afresh
            self._known.clear()
            _logger.warning("source_figures_lost", error=err.message)

    def _save(
        self,
        connection: sa.Connection,
        tally: Counter[tuple[str, str]],
        seen: dict[Name, int],
        samples: list[Refused],
    ) -> None:
        now = self._clock.now()
        count_messages(connection, now, tally)
        learn_names(connection, now, seen, self._known)
        keep_refused(connection, samples)
        if self._clock.monotonic_s() - self._pruned_at_s >= _PRUNE_EVERY_S:
            self._pruned_at_s = self._clock.monotonic_s()
            forget_old_hours(connection, now)


def _fits(name: Name) -> bool:
    return (
        max(len(name.event), len(name.name)) <= LONGEST_NAME and "\0" not in name.event + name.name
    )
