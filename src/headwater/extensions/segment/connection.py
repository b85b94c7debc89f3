"""Keep the connections: one for each app, with its endpoint, partner key and progress.

In: checked settings. Out: connections without their key; the key itself only for the one that
sends. Pointing a connection at another target starts it afresh: every user is due again there, and
what waited for the old target is dropped.
"""

from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from headwater.base.clock import Clock
from headwater.base.errors import NotFoundError
from headwater.base.ids import new_id
from headwater.base.vault import Vault, show_masked
from headwater.configdb.tables import extension_connections as connections
from headwater.configdb.tables import outbox
from headwater.extensions.segment.settings import (
    SEGMENT,
    clean_endpoint,
    clean_partner_key,
    clean_payload_version,
)

_FRESH: dict[str, Any] = {
    "watermark": 0,
    "watermark_day": "",
    "failures": 0,
    "retry_at": None,
    "last_error": "",
}


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """The extension of one app, connected."""

    id: str
    app_id: str
    endpoint: str
    """Empty: the source built into this server."""
    payload_version: str
    enabled: bool
    created_at: datetime
    watermark: int
    """Changes up to this log offset are in the outbox."""
    watermark_day: str
    """The last day whose numbers are in the outbox; empty before the first run."""
    failures: int
    retry_at: datetime | None
    """Nothing is sent by itself before."""
    last_error: str


def connect(
    connection: sa.Connection,
    vault: Vault,
    clock: Clock,
    app_id: str,
    partner_key: str,
    *,
    endpoint: str = "",
    payload_version: str = "current",
) -> Connection:
    """Connect the app, or change how it is connected; either way it is enabled."""
    key = clean_partner_key(partner_key)
    target = {
        "endpoint": clean_endpoint(endpoint),
        "payload_version": clean_payload_version(payload_version),
    }
    known = find_connection(connection, app_id)
    if known is None:
        return _add(connection, vault, clock, app_id, key, target)
    same = (known.endpoint, known.payload_version) == tuple(target.values())
    if not same or open_partner_key(connection, vault, known.id) != key:
        _start_afresh(connection, known.id)
    values = {**target, "enabled": True, "partner_key_sealed": vault.encrypt(key, known.id)}
    _update(connection, known.id, values)
    return get_connection(connection, app_id)


def _add(
    connection: sa.Connection,
    vault: Vault,
    clock: Clock,
    app_id: str,
    key: str,
    target: dict[str, str],
) -> Connection:
    id_ = new_id("ext")
    connection.execute(
        connections.insert().values(
            **_FRESH,
            **target,
            id=id_,
            app_id=app_id,
            type=SEGMENT.type,
            enabled=True,
            partner_key_sealed=vault.encrypt(key, id_),
            created_at=clock.now(),
        )
    )
    return get_connection(connection, app_id)


def _start_afresh(connection: sa.Connection, connection_id: str) -> None:
    connection.execute(
        outbox.delete().where(
            outbox.c.connection_id == connection_id, outbox.c.state != "delivered"
        )
    )
    _update(connection, connection_id, _FRESH)


def find_connection(connection: sa.Connection, app_id: str) -> Connection | None:
    """Return the app's connection, if it has one."""
    row = connection.execute(_select().where(connections.c.app_id == app_id)).mappings().first()
    return None if row is None else Connection(**row)


def get_connection(connection: sa.Connection, app_id: str) -> Connection:
    """Return the app's connection, or raise `NotFoundError`."""
    found = find_connection(connection, app_id)
    if found is None:
        raise NotFoundError(
            "The Segment extension of this app is not connected.",
            hint="`headwater extensions segment connect` does it.",
        )
    return found


def list_connections(connection: sa.Connection) -> list[Connection]:
    """Return all connections, oldest first."""
    rows = connection.execute(_select().order_by(connections.c.created_at, connections.c.id))
    return [Connection(**row) for row in rows.mappings()]


def set_enabled(connection: sa.Connection, app_id: str, enabled: bool) -> Connection:
    """Pause or resume; what waits in the outbox stays."""
    _update(connection, get_connection(connection, app_id).id, {"enabled": enabled})
    return get_connection(connection, app_id)


def open_partner_key(connection: sa.Connection, vault: Vault, connection_id: str) -> str:
    """Return the key in plain: only for sending."""
    sealed = connection.execute(
        sa.select(connections.c.partner_key_sealed).where(connections.c.id == connection_id)
    ).scalar_one()
    return vault.decrypt(sealed, connection_id)


def masked_partner_key(connection: sa.Connection, vault: Vault, connection_id: str) -> str:
    """Return the key as people may see it."""
    return show_masked(open_partner_key(connection, vault, connection_id))


def move_watermark(connection: sa.Connection, connection_id: str, offset: int, day: str) -> None:
    """Remember how far the outbox has come."""
    _update(connection, connection_id, {"watermark": offset, "watermark_day": day})


def note_success(connection: sa.Connection, connection_id: str) -> None:
    """The endpoint took a batch: nothing is wrong any more."""
    _update(connection, connection_id, {"failures": 0, "retry_at": None, "last_error": ""})


def note_failure(
    connection: sa.Connection, connection_id: str, failures: int, retry_at: datetime, error: str
) -> None:
    """The endpoint did not: say why, and when to try again."""
    _update(
        connection,
        connection_id,
        {"failures": failures, "retry_at": retry_at, "last_error": error},
    )


def _update(connection: sa.Connection, connection_id: str, values: dict[str, Any]) -> None:
    connection.execute(connections.update().where(connections.c.id == connection_id).values(values))


def _select() -> sa.Select[Any]:
    columns = [connections.c[name] for name in Connection.__struct_fields__]
    return sa.select(*columns).where(connections.c.type == SEGMENT.type)
