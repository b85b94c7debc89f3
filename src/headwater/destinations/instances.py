"""Keep the destinations that people added: each is bound to one source, its settings sealed.

In: a connection to the configuration database. Out: instances. Settings leave this room only for a
delivery (`open_settings`) or masked (`show_settings`).
"""

from datetime import datetime

import msgspec
import sqlalchemy as sa

from headwater.base.clock import Clock
from headwater.base.egress import Egress
from headwater.base.errors import InvalidInputError, NotFoundError
from headwater.base.ids import new_id
from headwater.base.vault import Vault, show_masked
from headwater.configdb import forget_reader
from headwater.configdb.tables import destinations
from headwater.destinations.contract import Values
from headwater.destinations.registry import find_destination

_LONGEST_NAME = 100


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """One destination of one source."""

    id: str
    source_id: str
    type: str
    name: str
    enabled: bool
    enabled_at: datetime
    """What was received before is not for it."""
    created_at: datetime
    settings_sealed: str

    @property
    def title(self) -> str:
        return find_destination(self.type).title

    @property
    def reader(self) -> str:
        """Its name among the readers of the log."""
        return f"destination:{self.id}"


def add_destination(
    connection: sa.Connection,
    vault: Vault,
    clock: Clock,
    egress: Egress,
    *,
    source_id: str,
    kind: str,
    values: Values,
    name: str = "",
) -> tuple[Instance, dict[str, str]]:
    """Add an enabled destination; return it with the secrets made here, which are shown once."""
    destination = find_destination(kind)
    complete = destination.check(values, egress)
    text = name.strip() or destination.title
    if len(text) > _LONGEST_NAME:
        raise InvalidInputError(f"A name has {_LONGEST_NAME} characters at most.", field="name")
    destination_id = new_id("dst")
    now = clock.now()
    instance = Instance(
        id=destination_id,
        source_id=source_id,
        type=destination.type,
        name=text,
        enabled=True,
        enabled_at=now,
        created_at=now,
        settings_sealed=vault.encrypt(msgspec.json.encode(complete).decode(), destination_id),
    )
    connection.execute(destinations.insert().values(msgspec.structs.asdict(instance)))
    made = {
        setting.name: complete[setting.name]
        for setting in destination.settings
        if setting.is_secret and complete[setting.name] and not values.get(setting.name)
    }
    return instance, made


def list_destinations(connection: sa.Connection) -> list[Instance]:
    """Return all destinations, oldest first."""
    rows = connection.execute(
        sa.select(destinations).order_by(destinations.c.created_at, destinations.c.id)
    )
    return [Instance(**row) for row in rows.mappings()]


def get_destination(connection: sa.Connection, destination_id: str) -> Instance:
    """Return one destination, or raise `NotFoundError`."""
    question = sa.select(destinations).where(destinations.c.id == destination_id)
    row = connection.execute(question).mappings().one_or_none()
    if row is None:
        raise NotFoundError(
            f"There is no destination {destination_id!r}.",
            field="destination",
            hint="`headwater destinations list` shows them.",
        )
    return Instance(**row)


def set_destination_enabled(
    connection: sa.Connection, clock: Clock, destination_id: str, *, enabled: bool
) -> Instance:
    """Switch a destination; what passes while it is off is not for it."""
    before = get_destination(connection, destination_id)
    if before.enabled != enabled:
        since = clock.now() if enabled else before.enabled_at
        connection.execute(
            destinations.update()
            .where(destinations.c.id == destination_id)
            .values(enabled=enabled, enabled_at=since)
        )
        forget_reader(connection, before.reader)
    return get_destination(connection, destination_id)


def open_settings(vault: Vault, instance: Instance) -> dict[str, str]:
    """Return the settings in the clear, for a delivery."""
    text = vault.decrypt(instance.settings_sealed, instance.id)
    return msgspec.json.decode(text, type=dict[str, str])


def show_settings(vault: Vault, instance: Instance) -> dict[str, str]:
    """Return the settings as people may see them."""
    values = open_settings(vault, instance)
    secret = {s.name for s in find_destination(instance.type).settings if s.is_secret}
    return {name: show_masked(value) if name in secret else value for name, value in values.items()}
