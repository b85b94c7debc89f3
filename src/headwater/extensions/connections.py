"""Keep the connections: one for each app and type, with its settings, secret and progress.

In: checked settings. Out: connections without their secret; the secret itself only for the one that
sends. Pointing a connection at another target starts it afresh: every user is due again there, and
what waited for the old target is dropped.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from headwater.base.clock import Clock
from headwater.base.errors import ConflictError, NotFoundError
from headwater.base.ids import new_id
from headwater.base.schedule import clean_schedule
from headwater.base.vault import Vault
from headwater.configdb.tables import cohorts
from headwater.configdb.tables import extension_backfills as backfills
from headwater.configdb.tables import extension_connections as connections
from headwater.extensions import outbox
from headwater.extensions.audience import Condition
from headwater.extensions.cohorts import LOOK_AGAIN
from headwater.extensions.contract import Extension, Target
from headwater.extensions.gallery import find_extension

_FRESH: dict[str, Any] = {
    "watermark": 0,
    "watermark_day": "",
    "failures": 0,
    "retry_at": None,
    "last_error": "",
}
_OF_COHORT = {"audience", "cohort"}


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """One extension of one app, connected."""

    id: str
    app_id: str
    type: str
    settings: dict[str, Any]
    """The extension's own, as it wrote them."""
    secret_check: str
    """What the endpoint said of the secret when it was saved."""
    schedule: str
    """As `schedule` reads it; empty: the server's default."""
    audience: tuple[Condition, ...]
    """Whom it sends: users who meet all of these, which are the cohort's where there is one."""
    cohort_id: str = ""
    cohort: str = ""
    """Its name."""
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


@dataclass(frozen=True)
class Opened:
    """A connection with all that it takes to compose and to send."""

    connection: Connection
    extension: Extension[Any]
    settings: Any
    """As the extension read them."""
    secret: str = field(repr=False)
    fingerprint: str
    """Recognises address, shape and secret, without revealing them."""

    @property
    def target(self) -> Target:
        return self.extension.target(self.settings)


def save_connection(
    connection: sa.Connection,
    vault: Vault,
    clock: Clock,
    app_id: str,
    type_: str,
    settings: msgspec.Struct,
    secret: str,
    secret_check: str = "",
) -> Connection:
    """Connect the app, or change how it is connected; either way it is enabled."""
    values = {"settings": msgspec.to_builtins(settings), "secret_check": secret_check}
    known = find_connection(connection, app_id, type_)
    if known is None:
        return _add(connection, vault, clock, app_id, type_, secret, values)
    extension = find_extension(type_)
    before = open_connection(connection, vault, app_id, type_).fingerprint
    sealed = {"enabled": True, "secret_sealed": vault.encrypt(secret, known.id)}
    if before != _fingerprint(vault, extension.target(settings), secret):
        _start_afresh(connection, clock, known.id)
    _update(connection, known.id, {**values, **sealed})
    return get_connection(connection, app_id, type_)


def _add(
    connection: sa.Connection,
    vault: Vault,
    clock: Clock,
    app_id: str,
    type_: str,
    secret: str,
    values: dict[str, Any],
) -> Connection:
    id_ = new_id("ext")
    connection.execute(
        connections.insert().values(
            **_FRESH,
            **values,
            id=id_,
            app_id=app_id,
            type=type_,
            enabled=True,
            secret_sealed=vault.encrypt(secret, id_),
            created_at=clock.now(),
        )
    )
    return get_connection(connection, app_id, type_)


def _start_afresh(connection: sa.Connection, clock: Clock, connection_id: str) -> None:
    outbox.drop_all(connection, connection_id)
    connection.execute(
        backfills.update()
        .where(backfills.c.connection_id == connection_id, backfills.c.state == "running")
        .values(state="cancelled", finished_at=clock.now())
    )
    _update(connection, connection_id, _FRESH)


def find_connection(connection: sa.Connection, app_id: str, type_: str) -> Connection | None:
    """Return the app's connection of this type, if it has one."""
    where = (connections.c.app_id == app_id, connections.c.type == type_)
    row = connection.execute(_select().where(*where)).mappings().first()
    return None if row is None else _to_connection(row)


def get_connection(connection: sa.Connection, app_id: str, type_: str) -> Connection:
    """Return the app's connection of this type, or raise `NotFoundError`."""
    title = find_extension(type_).declaration.title
    found = find_connection(connection, app_id, type_)
    if found is None:
        raise NotFoundError(
            f"The {title} extension of this app is not connected.",
            hint=f"`headwater extensions {type_} connect` does it.",
        )
    return found


def list_connections(connection: sa.Connection) -> list[Connection]:
    """Return all connections, oldest first."""
    rows = connection.execute(_select().order_by(connections.c.created_at, connections.c.id))
    return [_to_connection(row) for row in rows.mappings()]


def open_connection(connection: sa.Connection, vault: Vault, app_id: str, type_: str) -> Opened:
    """Return the app's connection with its secret in plain: only for making and sending."""
    found = get_connection(connection, app_id, type_)
    extension = find_extension(type_)
    settings = extension.read_settings(found.settings)
    sealed = connection.execute(
        sa.select(connections.c.secret_sealed).where(connections.c.id == found.id)
    ).scalar_one()
    secret = vault.decrypt(sealed, found.id)
    fingerprint = _fingerprint(vault, extension.target(settings), secret)
    return Opened(found, extension, settings, secret, fingerprint)


def _fingerprint(vault: Vault, target: Target, secret: str) -> str:
    return vault.fingerprint(f"{target.url}\n{target.shape}\n{secret}")


def check_unchanged(connection: sa.Connection, vault: Vault, opened: Opened) -> None:
    """Raise `ConflictError` when the connection was changed or paused meanwhile."""
    before = opened.connection
    now = open_connection(connection, vault, before.app_id, before.type)
    same = now.fingerprint == opened.fingerprint and now.connection.audience == before.audience
    if not same or not now.connection.enabled:
        raise ConflictError("The connection was changed while a run was on its way.")


def set_enabled(connection: sa.Connection, app_id: str, type_: str, enabled: bool) -> Connection:
    """Pause or resume; what waits in the outbox stays."""
    _update(connection, get_connection(connection, app_id, type_).id, {"enabled": enabled})
    return get_connection(connection, app_id, type_)


def set_schedule(connection: sa.Connection, app_id: str, type_: str, schedule: str) -> Connection:
    """Change when it syncs by itself."""
    id_ = get_connection(connection, app_id, type_).id
    _update(connection, id_, {"schedule": clean_schedule(schedule)})
    return get_connection(connection, app_id, type_)


def set_audience(
    connection: sa.Connection,
    app_id: str,
    type_: str,
    audience: Sequence[Condition],
    cohort_id: str = "",
) -> Connection:
    """Change who is sent; everybody is looked at once more, since others may be meant now.

    The conditions of a cohort are those that it has now; whatever they become later counts.
    """
    known = get_connection(connection, app_id, type_)
    chosen = {"audience": msgspec.to_builtins(audience), "cohort_id": cohort_id}
    _update(connection, known.id, chosen)
    found = get_connection(connection, app_id, type_)
    if found.audience != known.audience:
        _update(connection, known.id, LOOK_AGAIN)
    return get_connection(connection, app_id, type_)


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


def _to_connection(row: sa.RowMapping) -> Connection:
    audience = msgspec.convert(row["audience"], tuple[Condition, ...])
    return Connection(**{**row, "audience": audience})


def _select() -> sa.Select[Any]:
    own = [connections.c[name] for name in Connection.__struct_fields__ if name not in _OF_COHORT]
    audience = sa.func.coalesce(cohorts.c.conditions, connections.c.audience, type_=sa.JSON)
    name = sa.func.coalesce(cohorts.c.name, "")
    chosen = connections.outerjoin(cohorts, cohorts.c.id == connections.c.cohort_id)
    return sa.select(*own, audience.label("audience"), name.label("cohort")).select_from(chosen)
