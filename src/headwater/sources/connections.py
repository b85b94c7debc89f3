"""Add sources, find them again by slug, id or write key, and change what may be changed.

In: a connection to the configuration database. Out: sources with their live write keys. A source's
type, slug and payload version never change: the tables of warehouses are named after them.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa

from headwater.base.clock import Clock
from headwater.base.errors import InvalidInputError, NotFoundError
from headwater.base.ids import new_id, new_write_key
from headwater.configdb.tables import sources, write_keys
from headwater.sources.catalog import SourceType, find_type

_LONGEST_NAME = 100
_NO_SLUG_CHARACTERS = re.compile(r"[^a-z0-9]+")


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One place where messages come from."""

    id: str
    slug: str
    """Names the source in addresses and its schema in warehouses."""
    type: str
    name: str
    payload_version: str
    enabled: bool
    created_at: datetime
    write_keys: tuple[str, ...] = ()
    """The live ones, newest first."""

    @property
    def write_key(self) -> str:
        """The one to hand out."""
        return self.write_keys[0]


def add_source(
    connection: sa.Connection, clock: Clock, kind: str, name: str, payload_version: str = ""
) -> Source:
    """Add a source with its first write key."""
    entry = find_type(kind)
    text = _clean_name(name)
    row = {
        "id": new_id("src"),
        "slug": _free_slug(connection, text, entry),
        "type": entry.type,
        "name": text,
        "payload_version": _version(entry, payload_version),
        "enabled": True,
        "created_at": clock.now(),
    }
    connection.execute(sources.insert().values(row))
    _add_write_key(connection, clock, str(row["id"]))
    return get_source(connection, str(row["id"]))


def list_sources(connection: sa.Connection) -> list[Source]:
    """Return all sources, oldest first."""
    return _read(connection, sa.select(sources).order_by(sources.c.created_at, sources.c.id))


def get_source(connection: sa.Connection, slug_or_id: str) -> Source:
    """Return one source, or raise `NotFoundError`."""
    named = sa.or_(sources.c.slug == slug_or_id, sources.c.id == slug_or_id)
    found = _read(connection, sa.select(sources).where(named))
    if not found:
        raise NotFoundError(
            f"There is no source {slug_or_id!r}.",
            field="source",
            hint="`headwater sources list` shows them.",
        )
    return found[0]


def find_by_write_key(connection: sa.Connection, write_key: str) -> Source | None:
    """Return the source that a live write key belongs to, enabled or not."""
    found = _read(
        connection,
        sa.select(sources)
        .join(write_keys, write_keys.c.source_id == sources.c.id)
        .where(write_keys.c.write_key == write_key, write_keys.c.revoked_at.is_(None)),
    )
    return found[0] if found else None


def set_source_enabled(connection: sa.Connection, slug_or_id: str, *, enabled: bool) -> Source:
    """Let a source receive, or refuse what its clients send."""
    source = get_source(connection, slug_or_id)
    connection.execute(sources.update().where(sources.c.id == source.id).values(enabled=enabled))
    return get_source(connection, source.id)


def rename_source(connection: sa.Connection, slug_or_id: str, name: str) -> Source:
    """Give a source another name; its slug stays, since addresses and schemas hold it."""
    source = get_source(connection, slug_or_id)
    renamed = sources.update().where(sources.c.id == source.id).values(name=_clean_name(name))
    connection.execute(renamed)
    return get_source(connection, source.id)


def revoke_old_write_key(connection: sa.Connection, clock: Clock, slug_or_id: str) -> Source:
    """Stop the older of two live write keys: every client has the new one."""
    source = get_source(connection, slug_or_id)
    _revoke(connection, clock, source.write_keys[1:])
    return get_source(connection, source.id)


def rotate_write_key(connection: sa.Connection, clock: Clock, slug_or_id: str) -> Source:
    """Make a new write key; the newest earlier one goes on working, older ones stop.

    Two keys live side by side, so that clients can be changed one by one.
    """
    source = get_source(connection, slug_or_id)
    _revoke(connection, clock, source.write_keys[1:])
    _add_write_key(connection, clock, source.id)
    return get_source(connection, source.id)


def _read(connection: sa.Connection, question: sa.Select[tuple[object, ...]]) -> list[Source]:
    rows = connection.execute(question).mappings().all()
    keys = _live_keys(connection, [row["id"] for row in rows])
    return [Source(**row, write_keys=tuple(keys.get(row["id"], ()))) for row in rows]


def _live_keys(connection: sa.Connection, source_ids: Iterable[str]) -> dict[str, list[str]]:
    live = connection.execute(
        sa.select(write_keys.c.source_id, write_keys.c.write_key)
        .where(write_keys.c.source_id.in_(list(source_ids)), write_keys.c.revoked_at.is_(None))
        .order_by(write_keys.c.created_at.desc(), write_keys.c.write_key)
    )
    keys: dict[str, list[str]] = {}
    for source_id, key in live:
        keys.setdefault(source_id, []).append(key)
    return keys


def _add_write_key(connection: sa.Connection, clock: Clock, source_id: str) -> None:
    connection.execute(
        write_keys.insert().values(
            write_key=new_write_key(), source_id=source_id, created_at=clock.now()
        )
    )


def _revoke(connection: sa.Connection, clock: Clock, keys: Sequence[str]) -> None:
    chosen = write_keys.update().where(write_keys.c.write_key.in_(keys))
    connection.execute(chosen.values(revoked_at=clock.now()))


def _clean_name(name: str) -> str:
    text = name.strip()
    if not text or len(text) > _LONGEST_NAME:
        raise InvalidInputError(f"A name has 1 to {_LONGEST_NAME} characters.", field="name")
    return text


def _version(entry: SourceType, wanted: str) -> str:
    version = wanted or entry.payload_versions[0]
    if version not in entry.payload_versions:
        raise InvalidInputError(
            f"The type {entry.type} has no payload version {version!r}.",
            field="payload_version",
            hint=f"Versions are {', '.join(entry.payload_versions)}.",
        )
    return version


def _free_slug(connection: sa.Connection, name: str, entry: SourceType) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = _NO_SLUG_CHARACTERS.sub("-", plain).strip("-") or entry.type
    taken = set(connection.execute(sa.select(sources.c.slug)).scalars())
    free, number = slug, 1
    while free in taken:
        number += 1
        free = f"{slug}-{number}"
    return free
