"""Keep profiles: fold updates into what is known, and answer questions about people.

In: batches of updates with their log offsets and a token. Out: new versions of the profiles they
touch, and the reading side of the room. One writer at a time: ingest.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pyarrow as pa

from headwater.base.errors import CorruptError
from headwater.eventstore import EventStore
from headwater.model import ProfileUpdate, Rollup
from headwater.profiles.changes import read_touched_users
from headwater.profiles.fold import fold
from headwater.profiles.merge import ProfileState, merge, to_document
from headwater.profiles.people import (
    Company,
    Person,
    Subscription,
    read_companies,
    read_people,
    read_subscriptions,
)
from headwater.profiles.rollup import read_rollups

_KNOWN = """
SELECT app_id, kind, id, version, state FROM profiles FINAL
WHERE (app_id, kind) IN {scopes:Array(Tuple(String, String))} AND id IN {ids:Array(String)}
"""
_SCHEMA = pa.schema(
    [
        ("app_id", pa.string()),
        ("kind", pa.string()),
        ("id", pa.string()),
        ("version", pa.uint64()),
        ("state", pa.string()),
        ("doc", pa.string()),
        ("company_id", pa.string()),
        ("anonymous", pa.bool_()),
        ("anonymous_ids", pa.list_(pa.string())),
        ("created_at", pa.timestamp("us", "UTC")),
        ("modified_at", pa.timestamp("us", "UTC")),
    ]
)
# What the store's DateTime64 can hold.
_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
_LATEST = datetime(2261, 1, 1, tzinfo=UTC)

Key = tuple[str, str, str]


class _Version(msgspec.Struct, frozen=True):
    number: int
    state: ProfileState

    def with_more(self, other: "_Version") -> "_Version":
        return _Version(max(self.number, other.number), merge(self.state, other.state))


class Profiles:
    """The room's one object; holds nothing but the store."""

    def __init__(self, store: EventStore) -> None:
        self._store = store

    async def fold(self, updates: Sequence[tuple[int, ProfileUpdate]], *, token: str) -> None:
        """Merge updates, each with its log offset, into the profiles they name.

        Safe to repeat with the same updates and token. A visitor without a user id is kept as a
        user under the anonymous id, marked, until identities are joined.
        """
        if not updates:
            return
        fresh: dict[Key, _Version] = {}
        for offset, update in updates:
            _add(fresh, _key(update), _Version(offset, fold(update)))
        known = await self._read_known(fresh)
        rows = [_to_row(key, _merge_known(known.get(key), fresh[key])) for key in sorted(fresh)]
        await self._store.insert("profiles", pa.Table.from_pylist(rows, _SCHEMA), token=token)

    async def _read_known(self, keys: Iterable[Key]) -> dict[Key, _Version]:
        wanted = set(keys)
        if not wanted:
            return {}
        rows = await self._store.select(
            _KNOWN,
            {
                "scopes": sorted({(app_id, kind) for app_id, kind, _ in wanted}),
                "ids": sorted({id_ for _, _, id_ in wanted}),
            },
        )
        found = {(row["app_id"], row["kind"], row["id"]): row for row in rows}
        return {
            key: _Version(row["version"], _read_state(key, row["state"]))
            for key, row in found.items()
            if key in wanted
        }

    async def touched_users(
        self,
        app_id: str,
        *,
        after: int,
        active: tuple[datetime, datetime] | None,
        above: str,
        limit: int,
    ) -> list[str]:
        """Return users that changed after a log offset, or called within `active`.

        A page of `limit` ids beyond `above`, in their order. The bounds of `active` lie on quarters
        of an hour, as those of all days do.
        """
        return await read_touched_users(
            self._store, app_id, after=after, active=active, above=above, limit=limit
        )

    async def people(self, app_id: str, user_ids: Sequence[str]) -> dict[str, Person]:
        """Return those of the users that are known, by a profile or by a call."""
        return await read_people(self._store, app_id, user_ids)

    async def companies(self, app_id: str, company_ids: Sequence[str]) -> dict[str, Company]:
        """Return those of the companies that are known, by a profile or by a call."""
        return await read_companies(self._store, app_id, company_ids)

    async def subscriptions(
        self, app_id: str, subscription_ids: Sequence[str]
    ) -> dict[str, Subscription]:
        """Return those of the subscriptions that were described."""
        return await read_subscriptions(self._store, app_id, subscription_ids)

    async def rollups(
        self,
        app_id: str,
        timezone: str,
        user_ids: Sequence[str],
        start: datetime,
        end: datetime,
        *,
        day: str | None,
    ) -> dict[str, Rollup]:
        """Return the activity of each user within [start, end); of a local `day` when given."""
        return await read_rollups(self._store, app_id, timezone, user_ids, start, end, day=day)


def _add(versions: dict[Key, _Version], key: Key, version: _Version) -> None:
    known = versions.get(key)
    versions[key] = version if known is None else known.with_more(version)


def _merge_known(known: _Version | None, fresh: _Version) -> _Version:
    return fresh if known is None else known.with_more(fresh)


def _key(update: ProfileUpdate) -> Key:
    return update.app_id, update.kind, update.id or update.anonymous_id


def _read_state(key: Key, text: str) -> ProfileState:
    try:
        return msgspec.json.decode(text, type=ProfileState)
    except msgspec.DecodeError as err:
        raise CorruptError(f"The stored profile {key!r} cannot be read: {err}") from err


def _to_row(key: Key, version: _Version) -> Mapping[str, Any]:
    state = version.state
    document = to_document(state)
    company_id = msgspec.json.decode(document.get("company_id", b'""'))
    app_id, kind, id_ = key
    return {
        "app_id": app_id,
        "kind": kind,
        "id": id_,
        "version": version.number,
        "state": msgspec.json.encode(state).decode(),
        "doc": msgspec.json.encode(document).decode(),
        "company_id": company_id if isinstance(company_id, str) else "",
        "anonymous": state.anonymous,
        "anonymous_ids": list(state.anonymous_ids),
        "created_at": _within_reach(state.created_at),
        "modified_at": _within_reach(state.modified_at),
    }


def _within_reach(at: datetime) -> datetime:
    return min(max(at, _EARLIEST), _LATEST)
