"""Remember warehouses and what their syncs did.

In: a connection to the configuration database. Out: warehouses, with settings opened, and their
history. Settings are sealed, since those of some types hold passwords.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from headwater.base.clock import Clock
from headwater.base.errors import ConflictError, NotFoundError
from headwater.base.ids import new_id
from headwater.base.vault import Vault
from headwater.configdb import Position, write_position
from headwater.configdb.tables import warehouse_syncs, warehouses
from headwater.eventlog import Stream
from headwater.sources import get_source
from headwater.warehouse.catalog import check_settings
from headwater.warehouse.settings import WarehouseSettings

RUNNING, SUCCESS, PARTIAL, FAILURE = "running", "success", "partial", "failure"


class Warehouse(msgspec.Struct, frozen=True, kw_only=True):
    """A database that messages are loaded into."""

    id: str
    type: str
    name: str
    source_id: str | None
    """None: all sources."""
    enabled: bool
    settings: WarehouseSettings
    created_at: datetime


class Sync(msgspec.Struct, frozen=True, kw_only=True):
    """One run of loading: what it read, and what came of it."""

    id: str
    warehouse_id: str
    state: str
    """`running`, `success`, `partial` (something was not stored as it came) or `failure`."""
    started_at: datetime
    finished_at: datetime | None = None
    first_offset: int
    last_offset: int
    rows: dict[str, int] = {}
    """Rows loaded, by `schema.table`."""
    notices: list[dict[str, Any]] = []
    """What was not stored as it came, each with its `code` and `count`; or why it failed."""


def reader_of(warehouse_id: str) -> str:
    """Return the name under which a warehouse keeps its place in the log."""
    return f"warehouse:{warehouse_id}"


def add_warehouse(
    connection: sa.Connection,
    vault: Vault,
    clock: Clock,
    data: Path,
    *,
    type_: str,
    settings: Mapping[str, str],
    source: str = "",
    name: str = "",
) -> Warehouse:
    """Add a warehouse for one source (by slug) or all; it gets all messages that the log holds."""
    checked = check_settings(type_, settings, data)
    if any(other.settings == checked for other in list_warehouses(connection, vault)):
        raise ConflictError("There is a warehouse with these settings already.", field="settings")
    warehouse = Warehouse(
        id=new_id("wh"),
        type=type_,
        name=name or type_,
        source_id=get_source(connection, source).id if source else None,
        enabled=True,
        settings=checked,
        created_at=clock.now(),
    )
    sealed = vault.encrypt(msgspec.json.encode(checked).decode(), reader_of(warehouse.id))
    row = {field: getattr(warehouse, field) for field in warehouse.__struct_fields__}
    del row["settings"]
    connection.execute(warehouses.insert().values(**row, settings_sealed=sealed))
    # Offset 0 is before every entry, and holds the log back until the first sync has read it.
    place = Position(next_offset=0)
    write_position(connection, clock, reader_of(warehouse.id), Stream.MESSAGES, place)
    return warehouse


def list_warehouses(connection: sa.Connection, vault: Vault) -> list[Warehouse]:
    """Return all warehouses, oldest first."""
    rows = connection.execute(sa.select(warehouses).order_by(warehouses.c.created_at))
    return [_from_row(row, vault) for row in rows.mappings()]


def get_warehouse(connection: sa.Connection, vault: Vault, warehouse_id: str) -> Warehouse:
    """Return one warehouse, or raise `NotFoundError`."""
    query = sa.select(warehouses).where(warehouses.c.id == warehouse_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFoundError(
            f"There is no warehouse {warehouse_id!r}.", hint="See `headwater warehouses list`."
        )
    return _from_row(row, vault)


def _from_row(row: Mapping[Any, Any], vault: Vault) -> Warehouse:
    fields = {str(name): value for name, value in row.items()}
    opened = vault.decrypt(fields.pop("settings_sealed"), reader_of(fields["id"]))
    return Warehouse(**fields, settings=msgspec.json.decode(opened, type=WarehouseSettings))


def begin_sync(connection: sa.Connection, sync: Sync) -> None:
    """Write down that a sync began; one that still seems to run died with its process."""
    died = sa.and_(
        warehouse_syncs.c.warehouse_id == sync.warehouse_id, warehouse_syncs.c.state == RUNNING
    )
    connection.execute(
        warehouse_syncs.update()
        .where(died)
        .values(
            state=FAILURE,
            finished_at=sync.started_at,
            notices=[{"code": "interrupted", "message": "The process ended; it is repeated."}],
        )
    )
    connection.execute(warehouse_syncs.insert().values(msgspec.structs.asdict(sync)))


def save_sync(connection: sa.Connection, sync: Sync) -> None:
    """Write down how far a sync has come."""
    connection.execute(
        warehouse_syncs.update()
        .where(warehouse_syncs.c.id == sync.id)
        .values(msgspec.structs.asdict(sync))
    )


def list_syncs(connection: sa.Connection, warehouse_id: str, limit: int = 100) -> list[Sync]:
    """Return the history of a warehouse, newest first."""
    query = (
        sa.select(warehouse_syncs)
        .where(warehouse_syncs.c.warehouse_id == warehouse_id)
        .order_by(warehouse_syncs.c.started_at.desc(), warehouse_syncs.c.id.desc())
        .limit(limit)
    )
    return [Sync(**row) for row in connection.execute(query).mappings()]
