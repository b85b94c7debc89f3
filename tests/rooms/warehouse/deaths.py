"""Kill loads at named instants, look at the warehouse as its readers do, and account for every row.

In: a warehouse, a seed. Out: a verdict. A death is what `kill -9` leaves: what the warehouse and
the configuration had committed at that instant, and nothing of what the process had in mind. The
oracle works out from the sent messages alone what each table must hold.
"""

import random
from collections import Counter
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from headwater.base import crash
from headwater.base.settings import WarehouseSettings
from headwater.configdb import read_position
from headwater.model import Message
from headwater.warehouse import Warehouses
from headwater.warehouse.store import reader_of
from tests.rooms.warehouse.places import Place
from tests.rooms.warehouse.support import LOADED_AT, House, a_message, an_identify

POINTS = (
    "warehouse.batch_begun",  # the range is written down, nothing is loaded
    "warehouse.widened",  # columns are changed, the rows are not in
    "warehouse.in_step",  # in the midst of writing one table
    "warehouse.calls_merged",  # calls without the states that follow from them
    "warehouse.latest_merged",  # all is loaded, the place is not moved
)
BATCH = 6
_USERS = ("ann", "bob", "cy")
_MOST_PASSES = {"warehouse.widened": 3, "warehouse.in_step": 5}
_PLANS = ("free", "pro", None)
Rows = dict[str, dict[str, Any]]


class Killed(BaseException):
    """The process is no more; nobody may catch this and go on."""


class Mortal:
    """A house with one warehouse whose loads die, and an oracle."""

    def __init__(self, house: House, place: Place, seed: int, patch: pytest.MonkeyPatch) -> None:
        self.house, self.place = house, place
        self.chance = random.Random(seed)
        self.deaths: Counter[str] = Counter()
        self.warehouse_id = ""
        self._sent: list[tuple[int, Message]] = []
        self._patch = patch
        patch.setattr(crash, "os", SimpleNamespace(_exit=self._die))

    async def live(self, rounds: int) -> None:
        """Send, die, look; now and then load to the end and check everything."""
        await self._live_again()
        type_, shown = self.place.type_and_settings()
        added = await self.house.warehouses.add(type_=type_, settings=shown)
        self.warehouse_id = added.id
        for number in range(rounds):
            await self._send()
            await self._load_and_die()
            await self._look()
            if self.chance.random() < 0.2 or number == rounds - 1:
                await self._finish()

    async def _send(self) -> None:
        for _ in range(self.chance.randint(2, 4)):
            messages = [self._draw() for _ in range(self.chance.randint(1, 3))]
            offset = await self.house.send(*messages)
            self._sent += [(offset, message) for message in messages]
        self.house.wait(60)

    def _draw(self) -> Message:
        if self._sent and self.chance.random() < 0.1:
            return self.chance.choice(self._sent)[1]  # a client sends it again
        number = len(self._sent) + self.chance.randrange(10**6) * 1000
        user = self.chance.choice(_USERS)
        at = LOADED_AT + timedelta(seconds=self.chance.randrange(10_000))
        if self.chance.random() < 0.3:
            body = {"type": "track", "messageId": f"t{number}", "userId": user, "event": "Paid"}
            return a_message({**body, "properties": {"amount": number % 7}}, received_at=at)
        score = self.chance.choice((1, 2, 2.5))
        plan = self.chance.choice(_PLANS)
        return an_identify(f"i{number}", user, at, score=score, plan=plan)

    async def _load_and_die(self) -> None:
        point = self.chance.choice(POINTS)
        self._patch.setattr(crash, "_WANTED", point)
        self._patch.setattr(crash, "_left", self.chance.randint(1, _MOST_PASSES.get(point, 1)))
        try:
            await self.house.warehouses.sync(self.warehouse_id)
        except Killed:
            self.deaths[point] += 1
            await self._live_again()
        finally:
            self._patch.setattr(crash, "_WANTED", "")

    def _die(self, _code: int) -> NoReturn:
        raise Killed

    async def _live_again(self) -> None:
        """Begin anew with what rests in the log, the configuration and the warehouse."""
        house = self.house
        house.warehouses = Warehouses(
            house.configdb, house.log, house.vault, house.clock,
            WarehouseSettings(batch_messages=BATCH), house.file.path.parent,
        )  # fmt: skip
        house.wait(1)

    async def _look(self) -> None:
        """Each table shows a reader whole batches: those before, or also the one begun."""
        place = await self.house.configdb.run(read_position, reader_of(self.warehouse_id))
        assert place is not None
        ends = {place.next_offset} | ({place.pending[1] + 1} if place.pending else set())
        allowed = [self._expected(end) for end in ends]
        for table in self.chance.sample(sorted(allowed[0]), 2):
            shown = self._shown(table, once=False)
            assert any(shown == expected[table] for expected in allowed), (table, shown)

    async def _finish(self) -> None:
        """Undisturbed, everything is there, each row once; another load adds nothing."""
        await self.house.warehouses.sync(self.warehouse_id)
        expected = self._expected(None)
        for table, rows in expected.items():
            assert self._shown(table, once=True) == rows, table
        assert (await self.house.warehouses.sync(self.warehouse_id)).rows == {}
        self.place.tidy()
        states = {one.state for one in await self.house.warehouses.history(self.warehouse_id)}
        assert "running" not in states

    def _shown(self, table: str, *, once: bool) -> Rows:
        rows = self.place.shown(table)
        shown = {
            row["id"]: {name: row[name] for name in _TOLD if row.get(name) is not None}
            for row in rows
        }
        if once or not self.place.shows_twice:
            assert len(shown) == len(rows), f"{table}: a row is there twice"
        return shown

    def _expected(self, end: int | None) -> dict[str, Rows]:
        """Return what the tables must hold when all entries before `end` are loaded."""
        loaded = {one.message_id: one for at, one in self._sent if end is None or at < end}
        calls = [one for one in loaded.values() if one.type == "identify"]
        tracks = [one for one in loaded.values() if one.type == "track"]
        users: Rows = {}
        for one in sorted(calls, key=_newest_last):
            users.setdefault(one.user_id, {}).update(_values(one))
        return {
            "identifies": {one.message_id: _values(one) for one in calls},
            "users": users,
            "tracks": {one.message_id: {} for one in tracks},
            "paid": {one.message_id: _values(one) for one in tracks},
        }


_TOLD = ("score", "plan", "amount")


def _newest_last(one: Message) -> tuple[datetime, datetime, str]:
    return (one.timestamp, one.received_at, one.message_id)


def _values(one: Message) -> dict[str, Any]:
    of = one.body.get("traits") or one.body.get("properties") or {}
    return {name: value for name, value in of.items() if value is not None}
