"""Put the room of extensions together for a test: real store, real configuration, a receiver.

In: calls and profile updates, as if ingest had just stored them. Out: what the receiver got.
"""

import itertools
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from headwater.base.clock import SetClock
from headwater.base.egress import Egress
from headwater.base.settings import ConfigDbSettings, ExtensionSettings
from headwater.base.vault import Vault
from headwater.configdb import ConfigDb, Position, migrate, write_position
from headwater.eventlog import MemoryLog, Stream
from headwater.eventstore import EventStore
from headwater.extensions import Extensions, Parts
from headwater.extensions.connections import get_connection, save_connection
from headwater.extensions.preview import Json
from headwater.extensions.runs import RunResult, Tally, begin_run, end_run
from headwater.extensions.segment.settings import SegmentSettings
from headwater.extensions.status import Status
from headwater.model import ProfileUpdate
from headwater.profiles import Profiles
from headwater.workspace import App, create_app, list_apps
from tests.rooms.profiles.history import Call, insert_calls
from tests.support.webhook import Receiver

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
YESTERDAY = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
KEY = "wk0123456789abcdef0123456789abcdef"
_TOKENS = itertools.count(1)


class Room:
    """One app with a connection, and hands to move everything around it."""

    def __init__(self, store: EventStore, data: Path, **settings: Any) -> None:
        self.store = store
        self.clock = SetClock(NOW)
        self.vault = Vault.open(data / "master.key")
        self.configdb = ConfigDb.open(ConfigDbSettings(), data)
        migrate(self.configdb)
        self.profiles = Profiles(store, self.clock)
        self.egress = Egress("127.0.0.0/8")
        self.built_in_url = "http://127.0.0.1:9"
        self.offset = 0
        chosen = ExtensionSettings(**{"retry_first_s": 0.01, "retry_cap_s": 0.02, **settings})
        self.parts = Parts(
            self.profiles, self.configdb, MemoryLog(self.clock), self.vault, self.egress,
            self.clock, chosen, lambda: self.built_in_url,
        )  # fmt: skip
        self.extensions = Extensions(self.parts)
        self.app = self._open_app()

    def _open_app(self) -> App:
        with self.configdb.transaction() as connection:
            known = list_apps(connection)
            return known[0] if known else create_app(connection, self.vault, self.clock, "one")[0]

    def open_other_app(self, name: str) -> App:
        """Return one more app beside the room's own."""
        with self.configdb.transaction() as connection:
            return create_app(connection, self.vault, self.clock, name)[0]

    def connect(
        self, endpoint: str, key: str = KEY, version: str = "current", app: App | None = None
    ) -> None:
        settings = SegmentSettings(endpoint=endpoint, payload_version=version)
        with self.configdb.transaction() as connection:
            save_connection(
                connection, self.vault, self.clock, (app or self.app).id, "segment", settings, key
            )

    async def sync(self, *, full: bool = False) -> RunResult:
        return await self.extensions.sync(self.app, "segment", full=full)

    async def preview(self, user_id: str = "") -> list[Json]:
        return await self.extensions.preview(self.app, "segment", user_id)

    async def status(self) -> Status:
        return await self.extensions.status(self.app, "segment")

    async def store_calls(self, *calls: Call) -> None:
        """Store calls as one log entry, and say that ingest has passed it."""
        self.offset += 1
        place = {"app_id": self.app.id, "log_offset": self.offset}
        await insert_calls(self.store, [msgspec.structs.replace(c, **place) for c in calls])
        self.pass_ingest()

    async def store_calls_of(self, app: App, user_id: str) -> None:
        """Store one call of another app's user as one log entry."""
        self.offset += 1
        call = Call(user_id=user_id, time=YESTERDAY, app_id=app.id, log_offset=self.offset)
        await insert_calls(self.store, [call])
        self.pass_ingest()

    async def store_users(self, *ids: str, at: datetime = YESTERDAY) -> None:
        """Store one call of each user."""
        await self.store_calls(*(Call(user_id=id_, time=at) for id_ in ids))

    async def store_profile(self, id_: str, fields: object, **facts: Any) -> None:
        """Store one profile update as one log entry."""
        self.offset += 1
        update = ProfileUpdate(
            app_id=self.app.id,
            id=id_,
            update_id=f"u{self.offset:06}",
            received_at=NOW,
            fields=msgspec.Raw(msgspec.json.encode(fields)),
            **{"kind": "user", "time": YESTERDAY, **facts},
        )
        await self.profiles.fold([(self.offset, update)], token=f"t{next(_TOKENS)}")
        self.pass_ingest()

    def pass_ingest(self) -> None:
        with self.configdb.transaction() as connection:
            write_position(
                connection, self.clock, "ingest", Stream.CALLS, Position(self.offset + 1)
            )

    def note_run(self) -> None:
        """Write down that a run has just been, so that the schedule has nothing to do."""
        with self.configdb.transaction() as connection:
            id_ = get_connection(connection, self.app.id, "segment").id
            begin_run(connection, id_, "run_before", "sync", self.clock.now())
            end_run(connection, "run_before", Tally(), self.clock.now())

    def rows(self, table: str) -> list[Any]:
        """Return a table of the configuration database."""
        with self.configdb.transaction() as connection:
            return list(connection.exec_driver_sql(f"SELECT * FROM {table}").all())

    async def states(self) -> dict[str, int]:
        """Return how many messages are in each state, without the empty ones."""
        counts = (await self.status()).messages
        return {state: count for state, count in counts.items() if count}

    async def close(self) -> None:
        await self.egress.close()
        self.configdb.close()


def messages(receiver: Receiver) -> list[dict[str, Any]]:
    """Return every message that was received, in order, repeated ones too."""
    return [item for request in receiver.received for item in request.json["batch"]]


def users(receiver: Receiver) -> list[str]:
    """Return whose messages were received, sorted, repeated ones too."""
    return sorted(message["userId"] for message in messages(receiver))


def repeated(receiver: Receiver) -> list[str]:
    """Return the message ids that were received more than once."""
    counts = Counter(message["messageId"] for message in messages(receiver))
    return [id_ for id_, count in counts.items() if count > 1]
