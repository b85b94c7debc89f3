"""Keep the destinations that people added: each is bound to one source, its settings sealed.

Beside the settings stand filters and mappings, as checked JSON, and whether the order of a user's
messages is kept.

In: a connection to the configuration database. Out: instances. Settings leave this room only for a
delivery (`open_settings`) or masked (`show_settings`).
"""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from headwater.base.clock import Clock
from headwater.base.egress import Egress
from headwater.base.errors import InvalidInputError, NotFoundError
from headwater.base.ids import new_id
from headwater.base.vault import Vault, show_masked
from headwater.configdb import forget_reader
from headwater.configdb.tables import destinations, metadata
from headwater.destinations.contract import Rotates, Values
from headwater.destinations.filters import Filter, read_filters
from headwater.destinations.mappings import Mapping, default_mappings, read_mappings
from headwater.destinations.registry import find_destination
from headwater.destinations.settings import check_settings, keep_secrets
from headwater.destinations.wire import Wire

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
    filters: tuple[Filter, ...] = ()
    mappings: tuple[Mapping, ...] = ()
    keeps_order: bool = False
    """A user's messages arrive one after the other."""

    @property
    def title(self) -> str:
        return find_destination(self.type).declaration.title

    @property
    def reader(self) -> str:
        """Its name among the readers of the log."""
        return f"destination:{self.id}"


class Changes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change about an instance; what is None stays, lists are given whole."""

    name: str | None = None
    settings: dict[str, str] | None = None
    """All of them, but for secrets that stay as they are."""
    filters: list[dict[str, Any]] | None = None
    mappings: list[dict[str, Any]] | None = None
    keeps_order: bool | None = None


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
    declared = destination.declaration
    complete = check_settings(destination, values, egress)
    destination_id = new_id("dst")
    now = clock.now()
    instance = Instance(
        id=destination_id,
        source_id=source_id,
        type=declared.type,
        name=_check_name(name or declared.title),
        enabled=True,
        enabled_at=now,
        created_at=now,
        settings_sealed=_seal(vault, destination_id, complete),
        mappings=default_mappings(declared.actions),
    )
    connection.execute(destinations.insert().values(_row(instance)))
    made = {name: complete[name] for name in declared.secrets if not values.get(name)}
    return instance, {name: value for name, value in made.items() if value}


def change_destination(
    connection: sa.Connection,
    vault: Vault,
    egress: Egress,
    destination_id: str,
    changes: Changes,
) -> Instance:
    """Change a destination; nothing is changed when anything is wrong."""
    before = get_destination(connection, destination_id)
    destination = find_destination(before.type)
    changed: dict[str, Any] = {}
    if changes.name is not None:
        changed["name"] = _check_name(changes.name)
    if changes.settings is not None:
        values = keep_secrets(destination, open_settings(vault, before), changes.settings)
        complete = check_settings(destination, values, egress)
        changed["settings_sealed"] = _seal(vault, before.id, complete)
    if changes.filters is not None:
        changed["filters"] = read_filters(changes.filters)
    if changes.mappings is not None:
        changed["mappings"] = read_mappings(changes.mappings, destination.declaration.actions)
    if changes.keeps_order is not None:
        changed["keeps_order"] = changes.keeps_order
    after = msgspec.structs.replace(before, **changed)
    connection.execute(
        destinations.update().where(destinations.c.id == before.id).values(_row(after))
    )
    return after


def rotate_secret(
    connection: sa.Connection, vault: Vault, clock: Clock, destination_id: str, keep: timedelta
) -> tuple[Instance, dict[str, str]]:
    """Give an instance a new secret, shown once; the old one works as long as `keep` says."""
    before = get_destination(connection, destination_id)
    destination = find_destination(before.type)
    if not isinstance(destination, Rotates):
        raise InvalidInputError(
            f"{before.title} has no secret that can be rotated.", field="destination"
        )
    old = open_settings(vault, before)
    new = destination.rotate(old, clock.now() + keep)
    sealed = _seal(vault, before.id, new)
    connection.execute(
        destinations.update().where(destinations.c.id == before.id).values(settings_sealed=sealed)
    )
    fresh = set(new.values()) - set(old.values())
    made = {name: new[name] for name in destination.declaration.secrets if new[name] in fresh}
    return msgspec.structs.replace(before, settings_sealed=sealed), made


def remove_destination(connection: sa.Connection, destination_id: str) -> None:
    """Remove a destination and all that is kept of its deliveries; nothing brings it back."""
    before = get_destination(connection, destination_id)
    forget_reader(connection, before.reader)
    for table in reversed(metadata.sorted_tables):
        for column in table.columns:
            if column.references(destinations.c.id):
                connection.execute(table.delete().where(column == before.id))
    connection.execute(destinations.delete().where(destinations.c.id == before.id))


def list_destinations(connection: sa.Connection) -> list[Instance]:
    """Return all destinations, oldest first."""
    rows = connection.execute(
        sa.select(destinations).order_by(destinations.c.created_at, destinations.c.id)
    )
    return [_instance(row) for row in rows.mappings()]


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
    return _instance(row)


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
    defaults = {s.name: s.default for s in find_destination(instance.type).declaration.settings}
    return defaults | msgspec.json.decode(text, type=dict[str, str])


def show_settings(vault: Vault, instance: Instance) -> dict[str, str]:
    """Return the settings as people may see them."""
    values = open_settings(vault, instance)
    secret = find_destination(instance.type).declaration.secrets
    return {
        name: show_masked(value) if value and name in secret else value
        for name, value in values.items()
    }


def open_wire(instance: Instance, values: Values, egress: Egress, timeout_s: float) -> Wire:
    """Return the way out for deliveries to an instance; what it keeps hides its secrets."""
    secrets = find_destination(instance.type).declaration.secrets
    return Wire(egress, timeout_s, [values.get(name, "") for name in secrets])


def _check_name(name: str) -> str:
    text = name.strip()
    if not text or len(text) > _LONGEST_NAME:
        raise InvalidInputError(f"A name has 1 to {_LONGEST_NAME} characters.", field="name")
    return text


def _seal(vault: Vault, destination_id: str, complete: Values) -> str:
    return vault.encrypt(msgspec.json.encode(complete).decode(), destination_id)


def _row(instance: Instance) -> dict[str, Any]:
    return {
        **msgspec.structs.asdict(instance),
        "filters": msgspec.to_builtins(instance.filters),
        "mappings": msgspec.to_builtins(instance.mappings),
    }


def _instance(row: sa.RowMapping) -> Instance:
    typed = {
        "filters": msgspec.convert(row["filters"], tuple[Filter, ...]),
        "mappings": msgspec.convert(row["mappings"], tuple[Mapping, ...]),
    }
    return Instance(**{**row, **typed})
