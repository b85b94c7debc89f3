"""What the tests of warehouses share: messages, a house around one DuckDB file, and a way to look.

The file is opened only while looking, as a user's DuckDB shell would.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from headwater.base.clock import SetClock, to_wire_time
from headwater.base.settings import ConfigDbSettings, WarehouseSettings
from headwater.base.vault import Vault
from headwater.configdb import ConfigDb, migrate
from headwater.eventlog import MemoryLog, Stream
from headwater.model import Message
from headwater.sources import Source, add_source, forget_before, list_sources
from headwater.warehouse import Warehouses, schema_name
from headwater.warehouse.engines import limits_of, open_engine
from headwater.warehouse.fill import Filled, fill
from headwater.warehouse.settings import DuckDbSettings
from headwater.warehouse.tables import Rows

LOADED_AT = datetime(2026, 11, 23, 2, 45, tzinfo=UTC)
SCHEMA = "headwater_api_analytics"


def a_message(
    body: Mapping[str, Any],
    *,
    received_at: datetime = LOADED_AT,
    timestamp: datetime | None = None,
    source_id: str = "src",
) -> Message:
    """Return a message as the Tracking API puts it into the log."""
    at = timestamp or received_at
    return Message(
        source_id=source_id,
        message_id=body["messageId"],
        type=body["type"],
        user_id=body.get("userId") or "",
        anonymous_id=body.get("anonymousId") or "",
        received_at=received_at,
        timestamp=at,
        body={**body, "timestamp": to_wire_time(at), "receivedAt": to_wire_time(received_at)},
    )


def an_identify(message_id: str, user_id: str, at: datetime, **traits: object) -> Message:
    body = {"type": "identify", "messageId": message_id, "userId": user_id, "traits": traits}
    return a_message(body, received_at=at)


class File:
    """A DuckDB warehouse without the house around it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "warehouse.duckdb"
        self._scratch = folder / "scratch"

    def load(self, *messages: Message, loaded_at: datetime = LOADED_AT) -> Filled:
        rows = Rows(loaded_at)
        for message in messages:
            rows.add(message)
        chosen = DuckDbSettings(path=str(self.path))
        with open_engine(chosen, SCHEMA, self._scratch) as engine:
            return fill(engine, rows, limits_of(chosen))

    def run(self, sql: str) -> None:
        with duckdb.connect(self.path) as connection:
            connection.execute(sql)

    def select(self, sql: str) -> list[dict[str, Any]]:
        """Return rows as dictionaries; times are aware."""
        with duckdb.connect(self.path, read_only=True) as connection:
            rows: list[dict[str, Any]] = connection.sql(sql).to_arrow_table().to_pylist()
        return rows

    def table(self, name: str) -> list[dict[str, Any]]:
        return self.select(f'SELECT * FROM {SCHEMA}."{name}" ORDER BY ALL')

    def types(self, name: str) -> dict[str, str]:
        """Return the columns of a table with DuckDB's names of their types."""
        rows = self.select(
            "SELECT column_name, data_type FROM information_schema.columns "
            f"WHERE table_schema = '{SCHEMA}' AND table_name = '{name}'"
        )
        return {row["column_name"]: row["data_type"] for row in rows}

    def tables(self) -> set[str]:
        rows = self.select(
            "SELECT table_schema || '.' || table_name AS name FROM information_schema.tables"
        )
        return {row["name"] for row in rows}


@dataclass
class House:
    """Everything that the worker of warehouses needs, for real."""

    configdb: ConfigDb
    log: MemoryLog
    clock: SetClock
    vault: Vault
    source: Source
    warehouses: Warehouses
    file: File

    @property
    def schema(self) -> str:
        return schema_name(self.source.slug)

    async def forget(self, warehouse_id: str, *user_ids: str) -> dict[str, int]:
        """Delete users, as a regulation of this instant does."""
        until = self.clock.now()
        await self.configdb.run(forget_before, self.vault, user_ids, until)
        return await self.warehouses.delete_users(warehouse_id, user_ids)

    async def send(self, *messages: Message) -> int:
        """Append messages of the house's source as one log entry."""
        mine = [msgspec.structs.replace(one, source_id=self.source.id) for one in messages]
        return await self.log.append(
            Stream.MESSAGES, b"\n".join(msgspec.json.encode(one) for one in mine)
        )

    def wait(self, seconds: float) -> None:
        self.clock.move(timedelta(seconds=seconds))


def build_house(
    folder: Path, source_name: str = "Headwater API analytics", **settings: Any
) -> House:
    clock = SetClock(LOADED_AT)
    configdb = ConfigDb.open(ConfigDbSettings(), folder)
    migrate(configdb)
    with configdb.transaction() as connection:
        source = next(iter(list_sources(connection)), None) or add_source(
            connection, clock, "api-analytics", source_name
        )
    vault, log = Vault(bytes(32)), MemoryLog(clock)
    warehouses = Warehouses(configdb, log, vault, clock, WarehouseSettings(**settings), folder)
    return House(configdb, log, clock, vault, source, warehouses, File(folder))
