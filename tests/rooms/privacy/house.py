"""House two around regulations, with real parts: SQLite, DuckDB, a log in memory, loopback vendors.

In: messages, warehouses, destinations. Out: regulations that are carried out as the clock is moved.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import msgspec

from headwater.base.clock import SetClock
from headwater.base.egress import Egress
from headwater.base.settings import load_settings
from headwater.base.vault import Vault
from headwater.configdb import ConfigDb
from headwater.destinations import Instance, add_destination
from headwater.eventlog import MemoryLog, Stream
from headwater.federation.deliveries import Change, store
from headwater.federation.waiting import Waiting
from headwater.privacy import Regulation, Regulations, get_regulation
from headwater.sources import add_source
from headwater.warehouse import Warehouses
from tests.support.messages import a_message

BEGIN = datetime(2026, 11, 24, 4, tzinfo=UTC)


class House:
    """Everything that a regulation touches."""

    def __init__(self, configdb: ConfigDb, vault: Vault, folder: Path) -> None:
        self.configdb = configdb
        self.vault = vault
        self.folder = folder
        self.clock = SetClock(BEGIN)
        self.log = MemoryLog(self.clock)
        self.egress = Egress("127.0.0.0/8")
        self.settings = load_settings(folder, environ={})
        self.file = folder / "warehouse.duckdb"
        with configdb.transaction() as connection:
            self.source = add_source(connection, self.clock, "http-api", "Shop")
        self.begin_anew()

    def begin_anew(self) -> None:
        """Start the workers, as after a death."""
        self.warehouses = Warehouses(
            self.configdb, self.log, self.vault, self.clock, self.settings.warehouse, self.folder
        )
        self.regulations = Regulations(
            self.configdb, self.vault, self.egress, self.clock, self.warehouses, self.settings
        )

    async def receive(self, message_id: str, user_id: str, **body: object) -> None:
        """Take a message into the log."""
        message = a_message(
            message_id,
            source_id=self.source.id,
            received_at=self.clock.now(),
            userId=user_id,
            **body,
        )
        await self.log.append(Stream.MESSAGES, msgspec.json.encode(message))

    async def load(self) -> str:
        """Add a warehouse and load all; return its id."""
        added = await self.warehouses.add(
            type_="duckdb", settings={"path": str(self.file)}, name="DuckDB"
        )
        await self.warehouses.sync(added.id)
        return added.id

    def users(self) -> list[str]:
        """Return whom the warehouse knows."""
        with duckdb.connect(self.file, read_only=True) as connection:
            rows = connection.sql("SELECT id FROM shop.users ORDER BY id").fetchall()
        return [row[0] for row in rows]

    def rows_with(self, text: str) -> int:
        """Return how many rows of all tables hold a text."""
        with duckdb.connect(self.file, read_only=True) as connection:
            tables = connection.sql("SELECT table_name FROM duckdb_tables()").fetchall()
            rows = [connection.sql(f"FROM shop.{name}").fetchall() for (name,) in tables]
        return sum(text in str(row) for some in rows for row in some)

    async def connect(self, kind: str, name: str, **values: str) -> Instance:
        """Add a destination."""
        instance, _ = await self.configdb.run(
            add_destination, self.vault, self.clock, self.egress,
            source_id=self.source.id, kind=kind, values=values, name=name,
        )  # fmt: skip
        return instance

    async def let_wait(self, instance: Instance, message_id: str, user_id: str) -> None:
        """Let a message wait for a destination."""
        message = a_message(message_id, source_id=self.source.id, userId=user_id)
        change = Change(new=[Waiting(message=message, first_tried_at=self.clock.now())])
        await self.configdb.run(store, instance.id, change)

    async def pass_time(self, seconds: float) -> int:
        """Let time pass, and do what is due."""
        self.clock.move(timedelta(seconds=seconds))
        return await self.regulations.step()

    async def show(self, regulation: Regulation) -> Regulation:
        """Return a regulation as it is now."""
        return await self.configdb.look(get_regulation, regulation.id)

    def where_is(self, text: str) -> list[str]:
        """Return the files below the folder that hold a text, a write-ahead log among them."""
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        return [path.name for path in files if text.encode() in path.read_bytes()]
