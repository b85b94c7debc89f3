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
from headwater.base.errors import ConflictError, InvalidInputError, NotFoundError
from headwater.base.ids import new_id
from headwater.base.vault import Vault
from headwater.configdb import Position, forget_reader, write_position
from headwater.configdb.tables import warehouse_syncs, warehouses
from headwater.eventlog import Stream
from headwater.sources import get_source
from headwater.warehouse.catalog import check_settings
from headwater.warehouse.rereads import end_reread, list_rereads
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
    schedule: str = ""
    """`every 5m`, `hourly`, `daily 03:00`; empty: the server's default."""
    excluded: list[str] = []
    """What is left out: a schema, `schema.table` or `schema.table.column`."""
    failures: int = 0
    """Syncs that failed, one after the other; 0 after one that did not."""


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
    cause: str = "schedule"
    """`schedule`, or `hand` when somebody asked."""
    prepare_s: float = 0.0
    """Of its time: reading the log and sorting."""
    load_s: float = 0.0
    """Of its time: typing and writing into the warehouse."""


READERS = "warehouse:"
"""How the names of all readers of the log begin that load warehouses."""


def reader_of(warehouse_id: str) -> str:
    """Return the name under which a warehouse keeps its place in the log."""
    return f"{READERS}{warehouse_id}"


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
    _refuse_twin(connection, vault, checked, "")
    warehouse = Warehouse(
        id=new_id("wh"),
        type=type_,
        name=name or type_,
        source_id=get_source(connection, source).id if source else None,
        enabled=True,
        settings=checked,
        created_at=clock.now(),
    )
    sealed = _seal(vault, warehouse.id, checked)
    row = {field: getattr(warehouse, field) for field in warehouse.__struct_fields__}
    del row["settings"]
    connection.execute(warehouses.insert().values(**row, settings_sealed=sealed))
    # Offset 0 is before every entry, and holds the log back until the first sync has read it.
    place = Position(next_offset=0)
    write_position(connection, clock, reader_of(warehouse.id), Stream.MESSAGES, place)
    return warehouse


def _seal(vault: Vault, warehouse_id: str, settings: WarehouseSettings) -> str:
    return vault.encrypt(msgspec.json.encode(settings).decode(), reader_of(warehouse_id))


def _refuse_twin(
    connection: sa.Connection, vault: Vault, settings: WarehouseSettings, own_id: str
) -> None:
    others = (one for one in list_warehouses(connection, vault) if one.id != own_id)
    if any(other.settings == settings for other in others):
        raise ConflictError("There is a warehouse with these settings already.", field="settings")


def change_warehouse(
    connection: sa.Connection,
    vault: Vault,
    warehouse_id: str,
    *,
    settings: WarehouseSettings | None = None,
    **values: object,
) -> Warehouse:
    """Change what is given of name, enabled, schedule, excluded, failures and settings."""
    get_warehouse(connection, vault, warehouse_id)
    if settings is not None:
        _refuse_twin(connection, vault, settings, warehouse_id)
        values["settings_sealed"] = _seal(vault, warehouse_id, settings)
    if values:
        connection.execute(
            warehouses.update().where(warehouses.c.id == warehouse_id).values(values)
        )
    return get_warehouse(connection, vault, warehouse_id)


def remove_warehouse(connection: sa.Connection, vault: Vault, warehouse_id: str) -> None:
    """Forget a warehouse, its place and its history; its tables stay as they are."""
    get_warehouse(connection, vault, warehouse_id)
    for reread in list_rereads(connection, warehouse_id):
        end_reread(connection, reread)
    mine = warehouse_syncs.c.warehouse_id == warehouse_id
    connection.execute(warehouse_syncs.delete().where(mine))
    connection.execute(warehouses.delete().where(warehouses.c.id == warehouse_id))
    forget_reader(connection, reader_of(warehouse_id))


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


def list_syncs(
    connection: sa.Connection, warehouse_id: str, limit: int = 100, before: str = ""
) -> list[Sync]:
    """Return the history of a warehouse, newest first; the part after the sync `before`."""
    order = sa.tuple_(warehouse_syncs.c.started_at, warehouse_syncs.c.id)
    query = (
        sa.select(warehouse_syncs)
        .where(warehouse_syncs.c.warehouse_id == warehouse_id)
        .order_by(warehouse_syncs.c.started_at.desc(), warehouse_syncs.c.id.desc())
        .limit(limit)
    )
    if before:
        query = query.where(order < _place_of(connection, warehouse_id, before))
    return [Sync(**row) for row in connection.execute(query).mappings()]


def _place_of(connection: sa.Connection, warehouse_id: str, sync_id: str) -> sa.Tuple:
    query = sa.select(warehouse_syncs.c.started_at).where(
        warehouse_syncs.c.warehouse_id == warehouse_id, warehouse_syncs.c.id == sync_id
    )
    started_at = connection.execute(query).scalar_one_or_none()
    if started_at is None:
        raise InvalidInputError("The cursor is none of this list.", field="cursor")
    column = warehouse_syncs.c.started_at
    return sa.tuple_(sa.literal(started_at, column.type), sa.literal(sync_id))


def count_rows_by_day(
    connection: sa.Connection, warehouse_id: str, since: datetime
) -> dict[str, int]:
    """Return the rows of all syncs since a moment, by the day on which they began."""
    query = (
        sa.select(warehouse_syncs.c.started_at, warehouse_syncs.c.rows)
        .where(warehouse_syncs.c.warehouse_id == warehouse_id)
        .where(warehouse_syncs.c.started_at >= since)
        .order_by(warehouse_syncs.c.started_at)
    )
    days: dict[str, int] = {}
    for started_at, rows in connection.execute(query):
        day = f"{started_at:%Y-%m-%d}"
        days[day] = days.get(day, 0) + sum(rows.values())
    return days
