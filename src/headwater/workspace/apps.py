"""Keep the apps: each is one API whose calls are recorded, with its collector application ids.

In: names and zones. Out: apps and their keys. A collector application id lets clients write, never
read; it is matched by fingerprint and can be shown again, so it is stored sealed as well.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import sqlalchemy as sa

from headwater.base.clock import Clock
from headwater.base.errors import ConflictError, InvalidInputError, NotFoundError
from headwater.base.ids import new_collector_id, new_id
from headwater.base.vault import Vault
from headwater.configdb.tables import apps, collector_keys
from headwater.model import ProfileRules
from headwater.workspace.masking import MaskingPolicy
from headwater.workspace.sampling import SamplingPolicy

DEFAULT_APP_NAME = "default"
_LONGEST_NAME = 200


class App(msgspec.Struct, frozen=True, kw_only=True):
    """One API under observation."""

    id: str
    name: str
    timezone: str
    """IANA name; days and weeks of reports are cut in this zone."""
    created_at: datetime
    masking: MaskingPolicy = MaskingPolicy()
    sampling: SamplingPolicy = SamplingPolicy()
    profiles: ProfileRules = ProfileRules()


def create_app(
    connection: sa.Connection, vault: Vault, clock: Clock, name: str, timezone: str = "UTC"
) -> tuple[App, str]:
    """Add an app; return it with its collector application id."""
    app = App(id=new_id("app"), name=_clean(name), timezone=_zone(timezone), created_at=clock.now())
    if connection.execute(sa.select(apps.c.id).where(apps.c.name == app.name)).first():
        raise ConflictError(f"There is an app named {app.name!r} already.", field="name")
    connection.execute(apps.insert().values(msgspec.to_builtins(app, builtin_types=(datetime,))))
    return app, add_collector_key(connection, vault, clock, app.id)


def ensure_default_app(connection: sa.Connection, vault: Vault, clock: Clock) -> None:
    """Give a new data directory one app, so that a newcomer can send at once."""
    if connection.execute(sa.select(apps.c.id).limit(1)).first() is None:
        create_app(connection, vault, clock, DEFAULT_APP_NAME)


def list_apps(connection: sa.Connection) -> list[App]:
    """Return all apps, oldest first."""
    rows = connection.execute(sa.select(apps).order_by(apps.c.created_at, apps.c.id))
    return [_to_app(row) for row in rows.mappings()]


def get_app(connection: sa.Connection, app_id: str) -> App:
    """Return one app, or raise `NotFoundError`."""
    row = connection.execute(sa.select(apps).where(apps.c.id == app_id)).mappings().one_or_none()
    if row is None:
        raise NotFoundError(
            f"There is no app {app_id!r}.", field="app_id", hint="`headwater apps list` shows them."
        )
    return _to_app(row)


def set_masking(connection: sa.Connection, app_id: str, policy: MaskingPolicy) -> App:
    """Replace what the app masks; a running server notices within seconds."""
    changed = msgspec.structs.replace(get_app(connection, app_id), masking=policy)
    connection.execute(
        apps.update().where(apps.c.id == app_id).values(masking=msgspec.to_builtins(policy))
    )
    return changed


def set_sampling(connection: sa.Connection, app_id: str, policy: SamplingPolicy) -> App:
    """Replace what clients of the app are asked to report; they notice with their next answer."""
    changed = msgspec.structs.replace(get_app(connection, app_id), sampling=policy)
    connection.execute(
        apps.update().where(apps.c.id == app_id).values(sampling=msgspec.to_builtins(policy))
    )
    return changed


def add_collector_key(connection: sa.Connection, vault: Vault, clock: Clock, app_id: str) -> str:
    """Make one more collector application id for the app; earlier ones go on working."""
    key = new_collector_id()
    key_id = new_id("key")
    connection.execute(
        collector_keys.insert().values(
            id=key_id,
            app_id=app_id,
            fingerprint=vault.fingerprint(key),
            sealed=vault.encrypt(key, key_id),
            created_at=clock.now(),
        )
    )
    return key


def rotate_collector_key(connection: sa.Connection, vault: Vault, clock: Clock, app_id: str) -> str:
    """Make a new collector application id and revoke all earlier ones but the newest.

    Two keys live side by side, so that clients can be changed one by one.
    """
    get_app(connection, app_id)
    live = _live_keys(connection, app_id)
    for row in live[1:]:
        connection.execute(
            collector_keys.update()
            .where(collector_keys.c.id == row.id)
            .values(revoked_at=clock.now())
        )
    return add_collector_key(connection, vault, clock, app_id)


def collector_key(connection: sa.Connection, vault: Vault, app_id: str) -> str:
    """Return the app's newest collector application id."""
    live = _live_keys(connection, app_id)
    if not live:
        raise NotFoundError(
            f"The app {app_id!r} has no collector application id.",
            hint="`headwater apps rotate` makes one.",
        )
    return vault.decrypt(live[0].sealed, live[0].id)


def find_app_by_key(connection: sa.Connection, vault: Vault, key: str) -> App | None:
    """Return the app that a collector application id belongs to."""
    found = connection.execute(
        sa.select(apps)
        .join(collector_keys, collector_keys.c.app_id == apps.c.id)
        .where(collector_keys.c.fingerprint == vault.fingerprint(key))
        .where(collector_keys.c.revoked_at.is_(None))
    )
    row = found.mappings().one_or_none()
    return None if row is None else _to_app(row)


def _to_app(row: Mapping[Any, Any]) -> App:
    # Column names are a kind of text of their own, which the conversion would refuse.
    given = {str(name): value for name, value in row.items() if value is not None}
    return msgspec.convert(given, App)


def _live_keys(connection: sa.Connection, app_id: str) -> list[sa.Row[tuple[str, str]]]:
    return list(
        connection.execute(
            sa.select(collector_keys.c.id, collector_keys.c.sealed)
            .where(collector_keys.c.app_id == app_id, collector_keys.c.revoked_at.is_(None))
            .order_by(collector_keys.c.created_at.desc(), collector_keys.c.id.desc())
        )
    )


def _clean(name: str) -> str:
    text = name.strip()
    if not text or len(text) > _LONGEST_NAME:
        raise InvalidInputError(f"A name has 1 to {_LONGEST_NAME} characters.", field="name")
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as err:
        raise InvalidInputError(
            f"{name!r} is not a time zone.",
            field="timezone",
            hint="Use a name such as Europe/Berlin.",
        ) from err
    return name
