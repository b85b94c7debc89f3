"""Kill federation at named instants, and account for every message at its receivers.

In: two destinations of one source, one that keeps order and one that takes batches; a seed. Out: a
history of deaths, and the verdict. A death is what `kill -9` leaves: the log, the configuration as
it was committed at that instant, and nothing of what the process still had in mind; what it sends
afterwards, nobody hears. The next life begins from there. The ledger here counts for itself.
"""

import asyncio
import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import pytest
import sqlalchemy as sa

from headwater.base import crash
from headwater.base.settings import ConfigDbSettings, FederationSettings
from headwater.configdb import ConfigDb, read_position
from headwater.configdb.tables import deliveries
from headwater.destinations import Instance, get_destination
from headwater.eventlog import Stream
from headwater.federation import FederationWorkers
from tests.support.federation import Federation
from tests.support.messages import a_message
from tests.support.webhook import Received, Receiver

ARRIVED = "a request arrived, and its answer was lost"
POINTS = (ARRIVED, "federation.before_write", "federation.after_write")
USERS = ("ann", "bob", "cy", "dee")
HASTY = FederationSettings(
    retry_first_s=0.03, retry_cap_s=0.03, pause_cap_s=0.02, poll_s=0.005, timeout_s=5
)
_FAILING = 0.12
_LATE = 0.15
_LATE_S = 0.03
_BETWEEN_ENTRIES_S = 0.015
_ON_THE_WIRE_S = 0.01
"""By then everything that was sent before the death has arrived, in vain."""
_LIFE_S = 20.0


class Killed(BaseException):
    """The process is no more; nobody may catch this and go on."""


class Ledger:
    """What one receiver took, and what it may be sent again."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.came: dict[str, int] = {}
        """How often each message came, in the order of their first times."""
        self.wrong: list[str] = []
        """Came once more, though it was written down before the death."""
        self._may_repeat: set[str] = set()

    def take(self, ids: list[str]) -> None:
        """Note what the receiver took."""
        for id_ in ids:
            if id_ in self.came and id_ not in self._may_repeat:
                self.wrong.append(id_)
            self._may_repeat.discard(id_)
            self.came[id_] = self.came.get(id_, 0) + 1

    def note_death(self, connection: sa.Connection, offsets: dict[str, int]) -> None:
        """From what is committed follows what the next life has to send, or cannot know of."""
        mine = deliveries.c.destination_id == self.instance.id
        rows = set(connection.execute(sa.select(deliveries.c.message_id).where(mine)).scalars())
        position = read_position(connection, self.instance.reader)
        begin = position.next_offset if position else 0
        self._may_repeat = {id_ for id_ in self.came if id_ in rows or offsets[id_] >= begin}

    def check(self, offsets: dict[str, int]) -> None:
        """Everything came; nothing again that was written down; users' messages in their order."""
        assert self.came.keys() == offsets.keys(), f"never came: {offsets.keys() - self.came}"
        assert not self.wrong, f"came again: {self.wrong}"
        if self.instance.keeps_order:
            for user in USERS:
                mine = [id_ for id_ in self.came if id_.startswith(user)]
                assert mine == [id_ for id_ in offsets if id_.startswith(user)]


class Mortal:
    """Federation that dies and lives again."""

    def __init__(
        self, house: Federation, folder: Path, seed: int, patch: pytest.MonkeyPatch
    ) -> None:
        self.chance = random.Random(seed)
        self.deaths: Counter[str] = Counter()
        self.offsets: dict[str, int] = {}
        """Of all messages, in the order of the log."""
        self._house = house
        self._folder = folder
        self._ledgers: list[Ledger] = []
        self._patch = patch
        self._is_dead = False
        self._lives = 0
        patch.setattr(crash, "os", SimpleNamespace(_exit=self._die))

    async def connect(self, in_order: Receiver, in_batches: Receiver) -> None:
        """Add both destinations; a few requests fail, as they do."""
        for receiver, size in ((in_order, "1"), (in_batches, "5")):
            instance = self._house.connect(receiver.url, batch_size=size)
            if receiver is in_order:
                await self._house.keep_order(instance)
            kept = await self._house.configdb.run(get_destination, instance.id)
            self._ledgers.append(Ledger(kept))
            receiver.judge = self._judge_for(self._ledgers[-1])
            receiver.delay_s = self._delay_s

    async def live(self) -> None:
        """Receive and deliver, and die at some point, if the work gets there."""
        point = self.chance.choice(POINTS)
        self._arm(point, self.chance.choice((1, 1, 2, 3, 5)))
        task = asyncio.create_task(self._house.workers.run())
        for _ in range(self.chance.randint(1, 4)):
            await self._receive()
            await asyncio.sleep(self.chance.uniform(0, _BETWEEN_ENTRIES_S))
        await self._until_done()
        task.cancel()
        await asyncio.wait([task])
        if self._is_dead:
            await asyncio.sleep(_ON_THE_WIRE_S)
            self.deaths[point] += 1
            self._begin_anew()

    async def finish(self) -> None:
        """Deliver all that waits, undisturbed, and check."""
        self._arm("", 0)
        async with self._house.at_work():
            await self._until_done()
            for ledger in self._ledgers:
                ledger.check(self.offsets)
            assert await self._is_done(), "it came, and waits all the same"

    async def _receive(self) -> None:
        """Append one entry with some messages of some users."""
        ids = [
            f"{self.chance.choice(USERS)}-{len(self.offsets) + n}"
            for n in range(self.chance.randint(1, 6))
        ]
        now = self._house.clock.now()
        source = self._house.source.id
        messages = [
            a_message(id_, source_id=source, received_at=now, userId=id_.partition("-")[0])
            for id_ in ids
        ]
        await self._house.append(messages)
        offset = (await self._house.log.state(Stream.MESSAGES)).last_offset
        self.offsets.update(dict.fromkeys(ids, offset))

    def _judge_for(self, ledger: Ledger) -> Callable[[Received], int]:
        def judge(got: Received) -> int:
            if self._is_dead or self.chance.random() < _FAILING:
                return 503
            bodies = got.json if isinstance(got.json, list) else [got.json]
            ledger.take([body["messageId"] for body in bodies])
            try:
                crash.crash_point(ARRIVED)
            except Killed:
                return 503
            return 200

        return judge

    async def _until_done(self) -> None:
        """Return when nothing is left to deliver, with the death, or after a long time."""
        end_s = asyncio.get_running_loop().time() + _LIFE_S
        while not self._is_dead and asyncio.get_running_loop().time() < end_s:
            if self._came_all() and await self._is_done():
                return
            await asyncio.sleep(0.01)

    def _came_all(self) -> bool:
        return all(len(ledger.came) == len(self.offsets) for ledger in self._ledgers)

    async def _is_done(self) -> bool:
        states = [await self._house.workers.status(one.instance.id) for one in self._ledgers]
        return all((state.behind_entries, state.waiting) == (0, 0) for state in states)

    def _delay_s(self) -> float:
        return _LATE_S if self.chance.random() < _LATE else 0.0

    def _arm(self, point: str, passes: int) -> None:
        self._patch.setattr(crash, "_WANTED", point)
        self._patch.setattr(crash, "_left", passes)

    def _die(self, _code: int) -> NoReturn:
        """Keep what is committed at this instant; everything after it is forgotten."""
        self._is_dead = True
        self._lives += 1
        folder = self._folder / f"life-{self._lives}"
        folder.mkdir()
        source = sqlite3.connect(self._database())
        target = sqlite3.connect(folder / "config.db")
        with target:
            source.backup(target)
        source.close()
        target.close()
        raise Killed

    def _database(self) -> str:
        path = self._house.configdb.engine.url.database
        assert path is not None
        return path

    def _begin_anew(self) -> None:
        """Go on from what was kept."""
        house, before = self._house, Path(self._database())
        house.configdb.close()
        house.configdb = ConfigDb.open(ConfigDbSettings(), self._folder / f"life-{self._lives}")
        house.workers = FederationWorkers(
            house.configdb, house.log, house.vault, house.egress, house.clock, HASTY
        )
        if before.parent != self._folder:
            shutil.rmtree(before.parent)
        with house.configdb.transaction() as connection:
            for ledger in self._ledgers:
                ledger.note_death(connection, self.offsets)
        self._is_dead = False
