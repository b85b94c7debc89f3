"""Kill the room of extensions at named instants, and account for every message at its receivers.

In: a room, a seed. Out: a history of deaths, and the verdict. A death is what `kill -9` leaves: the
configuration as it was committed at that instant, and nothing of what the process still had in
mind. The next life begins from there. What the receivers must have got follows from what was stored
alone: the ledger here counts for itself which windows there were.
"""

import dataclasses
import random
import shutil
import sqlite3
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import msgspec
import pytest

from headwater.base import crash
from headwater.base.settings import ConfigDbSettings
from headwater.configdb import ConfigDb
from headwater.extensions import Extensions, outbox, windows
from headwater.extensions.connections import Opened, open_connection
from headwater.extensions.packet import Limits
from headwater.extensions.segment import Segment
from headwater.extensions.webhook import Webhook
from headwater.extensions.windows import message_id
from headwater.profiles import last_complete_day
from tests.rooms.extensions.room import Room
from tests.support.webhook import Receiver

POINTS = (
    "extensions.watermark",  # moved, not committed
    "extensions.outbox",  # a page is in the outbox, perhaps with the watermark
    "extensions.taken",  # marked as sent, nothing on the wire
    "extensions.sent",  # answered, not written down
    "extensions.settled",  # written down, not committed
    "extensions.acked",
)
_OF_A_RUN = POINTS[:2]
_WEIGHTS = (1, 1, 3, 4, 3, 4)
"""What is passed in a run is passed once or twice, what is passed in a delivery often."""
TYPES = ("segment", "webhook")
USERS = tuple(f"user-{n:02}" for n in range(10))
SECRET = "whsec_" + "QUFB" * 8
_IN_BATCH = 1
_PAGE = 6
_IN_FLIGHT = 4


class Killed(BaseException):
    """The process is no more; nobody may catch this and go on."""


class Ledger:
    """What one receiver must have got in the end, and what it may have got."""

    def __init__(self, opened: Opened, receiver: Receiver) -> None:
        self.opened = opened
        self.receiver = receiver
        self.allowed: dict[str, tuple[str, int]] = {}
        """By message id: the user and the log offset of the change."""
        self.newest: dict[str, str] = {}
        """By user: the id of the newest window."""
        self.due: set[str] = set()
        """What was found waiting at the beginning of a life."""

    def note_change(self, user_id: str, offset: int, day: str) -> None:
        """The user changed: whoever is told of it is told by this id."""
        numbers = self.opened.connection.type == "segment"
        more = () if numbers else ("user",)
        id_ = message_id(
            self.opened.connection.id, self.opened.fingerprint, user_id, day if numbers else "",
            offset, *more,
        )  # fmt: skip
        self.allowed[id_] = (user_id, offset)
        self.newest[user_id] = id_

    def received(self) -> list[str]:
        """Return the ids of all messages in the order they came, repeated ones too."""
        return [
            message["messageId"]
            for request in self.receiver.received
            for message in request.json["batch"]
        ]

    def check(self, deaths: int) -> None:
        """Every due message came, once by its id; nothing else did; no older one came late."""
        came = self.received()
        distinct = list(dict.fromkeys(came))
        assert set(distinct) <= set(self.allowed), "a message that nobody was due"
        missing = [self.allowed[id_] for id_ in self.newest.values() if id_ not in set(came)]
        assert not missing, f"never came: {missing}"
        assert self.due <= set(came), "waited in the outbox, and never came"
        last: dict[str, int] = {}
        for user_id, offset in (self.allowed[id_] for id_ in distinct):
            assert last.get(user_id, -1) < offset, f"{user_id}: an older window came later"
            last[user_id] = offset
        again = sum(count - 1 for count in Counter(came).values())
        assert again <= deaths * _IN_FLIGHT * _IN_BATCH, "more came twice than was on the wire"


class Mortal:
    """A room with two connections, that dies and lives again."""

    def __init__(self, room: Room, data: Path, seed: int, patch: pytest.MonkeyPatch) -> None:
        self.room = room
        self.chance = random.Random(seed)
        self.deaths: Counter[str] = Counter()
        self.ledgers: dict[str, Ledger] = {}
        self._data = data
        self._lives = 0
        self._waiting = False
        self._patch = patch
        patch.setattr(windows, "PAGE_USERS", _PAGE)
        for extension in (Segment, Webhook):
            patch.setattr(extension, "limits", Limits(items=_IN_BATCH, size_bytes=475_000))
        patch.setattr(crash, "os", SimpleNamespace(_exit=self._die))

    async def connect(self, segment: Receiver, webhook: Receiver) -> None:
        """Connect both extensions; what time alone changes of a user is not what this is about."""
        self.room.connect(segment.url, version="2019")
        values = {"url": webhook.url, "secret": SECRET, "numbers": False, "without": ["lifecycle"]}
        await self.room.extensions.connect(self.room.app, "webhook", values, check=False)
        for type_, receiver in zip(TYPES, (segment, webhook), strict=True):
            opened = await self.room.configdb.run(
                open_connection, self.room.vault, self.room.app.id, type_
            )
            self.ledgers[type_] = Ledger(opened, receiver)

    async def change_somebody(self) -> None:
        """Store one call of each of a few users."""
        ids = self.chance.sample(USERS, self.chance.randint(3, len(USERS)))
        await self.room.store_users(*ids)
        day = last_complete_day(self.room.clock.now(), self.room.app.timezone)
        for ledger in self.ledgers.values():
            for id_ in ids:
                ledger.note_change(id_, self.room.offset, day)

    async def work_and_die(self) -> bool:
        """Sync or deliver, and die at some point, if the work gets there; tell whether."""
        point = self.chance.choices(POINTS, _WEIGHTS)[0]
        self._arm(point, self.chance.choice((1, 1, 1, 1, 2, 3)) if point not in _OF_A_RUN else 1)
        try:
            if point in _OF_A_RUN or not self._waiting:
                await self.room.extensions.sync(
                    self.room.app, self.chance.choices(TYPES, (1, 4))[0]
                )
            else:
                await self.room.extensions.step()
        except Killed:
            self.deaths[point] += 1
            await self._live_again()
            return True
        finally:
            self._arm("", 0)
        self._waiting = False
        return False

    async def finish(self) -> None:
        """Sync both to the end, undisturbed, and check; another run sends nothing."""
        for type_, ledger in self.ledgers.items():
            result = await self.room.extensions.sync(self.room.app, type_)
            assert result.error == ""
            ledger.check(sum(self.deaths.values()))
            before = len(ledger.received())
            assert (await self.room.extensions.sync(self.room.app, type_, full=True)).sent == 0
            assert len(ledger.received()) == before
            counts = (await self.room.extensions.status(self.room.app, type_)).messages
            assert (counts["due"], counts["sent"], counts["dead"]) == (0, 0, 0)

    def _arm(self, point: str, passes: int) -> None:
        self._patch.setattr(crash, "_WANTED", point)
        self._patch.setattr(crash, "_left", passes)

    def _die(self, _code: int) -> NoReturn:
        """Keep what is committed at this instant; everything after it is forgotten."""
        self._lives += 1
        folder = self._data / f"life-{self._lives}"
        folder.mkdir()
        source = sqlite3.connect(self._database())
        target = sqlite3.connect(folder / "config.db")
        with target:
            source.backup(target)
        source.close()
        target.close()
        raise Killed

    def _database(self) -> str:
        path = self.room.configdb.engine.url.database
        assert path is not None
        return path

    async def _live_again(self) -> None:
        """Begin anew from what was kept."""
        before = Path(self._database())
        self.room.configdb.close()
        self.room.configdb = ConfigDb.open(ConfigDbSettings(), self._data / f"life-{self._lives}")
        self.room.parts = dataclasses.replace(self.room.parts, configdb=self.room.configdb)
        self.room.extensions = Extensions(self.room.parts)
        if before.parent != self._data:
            shutil.rmtree(before.parent)
        self._waiting = False
        for ledger in self.ledgers.values():
            waiting = await self.room.configdb.run(
                outbox.read_payloads, ledger.opened.connection.id, limit=1_000
            )
            self._waiting = self._waiting or bool(waiting)
            ledger.due.update(msgspec.json.decode(one)["messageId"] for one in waiting)
