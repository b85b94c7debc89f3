"""Draw profiles and write them: what was said of each, with what was said of its visitors.

In: keys, and what is new of them. Out: new rows of `profiles`, whose `state` holds the user's own
words and whose `doc` shows all. Pure in what it reads: a repetition draws the same. One writer at
a time: whoever has ingest's turn.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from functools import reduce
from typing import Any

import msgspec
import pyarrow as pa

from headwater.base.errors import CorruptError
from headwater.base.ids import new_id
from headwater.eventstore import EventStore
from headwater.profiles.history import read_states
from headwater.profiles.merge import ProfileState, merge, to_document
from headwater.profiles.traits import user_traits
from headwater.profiles.visitors import LATEST, read_voices, within_reach

_KNOWN = """
SELECT app_id, kind, id, version, if(own, state, '') AS state FROM profiles FINAL
WHERE (app_id, kind) IN {scopes:Array(Tuple(String, String))} AND id IN {ids:Array(String)}
"""
_SHOWN = """
SELECT id, doc, created_at, modified_at, anonymous_ids FROM profiles FINAL
WHERE app_id = {app_id:String} AND kind = 'user' AND id IN {ids:Array(String)}
"""
_SCHEMA = pa.schema(
    [
        ("app_id", pa.string()),
        ("kind", pa.string()),
        ("id", pa.string()),
        ("version", pa.uint64()),
        ("own", pa.bool_()),
        ("state", pa.string()),
        ("doc", pa.string()),
        ("name", pa.string()),
        ("email", pa.string()),
        ("company_id", pa.string()),
        ("anonymous", pa.bool_()),
        ("anonymous_ids", pa.list_(pa.string())),
        ("created_at", pa.timestamp("us", "UTC")),
        ("modified_at", pa.timestamp("us", "UTC")),
    ]
)
_NOTHING = ProfileState(created_at=LATEST, modified_at=LATEST)

Key = tuple[str, str, str]


class Version(msgspec.Struct, frozen=True):
    """What was said under one id, up to an offset of the log."""

    number: int
    state: ProfileState | None
    """None: nothing was."""

    def with_more(self, other: "Version") -> "Version":
        """Return what both say."""
        states = [state for state in (self.state, other.state) if state is not None]
        return Version(max(self.number, other.number), reduce(merge, states) if states else None)


def gather_versions(news: Iterable[tuple[Key, Version]]) -> dict[Key, Version]:
    """Return what is new of each key, together."""
    fresh: dict[Key, Version] = {}
    for key, version in news:
        fresh[key] = fresh[key].with_more(version) if key in fresh else version
    return fresh


async def draw(store: EventStore, fresh: Mapping[Key, Version], *, token: str) -> None:
    """Write the profiles of these keys anew, with what is fresh. Safe to repeat.

    A key of which nothing was ever said gets no row.
    """
    rows = await _compose(store, fresh)
    if rows:
        await store.insert("profiles", pa.Table.from_pylist(rows, _SCHEMA), token=token)


async def _compose(store: EventStore, fresh: Mapping[Key, Version]) -> list[dict[str, Any]]:
    known = await _read_known(store, fresh)
    borrowed = await _read_borrowed(store, fresh)
    whole = {
        key: known[key].with_more(version) if key in known else version
        for key, version in sorted(fresh.items())
    }
    return [
        _to_row(key, version, borrowed.get(key))
        for key, version in whole.items()
        if version.state is not None or key in borrowed or key in known
    ]


async def redraw_users(
    store: EventStore, app_id: str, users: Collection[str], *, due_at: int
) -> None:
    """Draw users again whose visitors are others now; what differs is marked with `due_at`."""
    fresh = {(app_id, "user", user): Version(due_at, None) for user in users}
    if not fresh:
        return
    asked = {"app_id": app_id, "ids": sorted(users)}
    shown = {row["id"]: row for row in await store.select(_SHOWN, asked)}
    rows = [row for row in await _compose(store, fresh) if _differs(row, shown.get(row["id"]))]
    if rows:
        # Any token: the same row twice is one row.
        table = pa.Table.from_pylist(rows, _SCHEMA)
        await store.insert("profiles", table, token=new_id("drawn"))


def _differs(row: Mapping[str, Any], shown: Mapping[str, Any] | None) -> bool:
    return shown is None or any(row[name] != value for name, value in shown.items())


async def _read_known(store: EventStore, keys: Collection[Key]) -> dict[Key, Version]:
    rows = await store.select(
        _KNOWN,
        {
            "scopes": sorted({(app_id, kind) for app_id, kind, _ in keys}),
            "ids": sorted({id_ for _, _, id_ in keys}),
        },
    )
    found = {(row["app_id"], row["kind"], row["id"]): row for row in rows}
    return {
        key: Version(row["version"], _read_state(key, row["state"]))
        for key in keys
        if (row := found.get(key)) is not None
    }


def _read_state(key: Key, text: str) -> ProfileState | None:
    try:
        return msgspec.json.decode(text, type=ProfileState) if text else None
    except msgspec.DecodeError as err:
        raise CorruptError(f"The stored profile {key!r} cannot be read: {err}") from err


async def _read_borrowed(store: EventStore, keys: Iterable[Key]) -> dict[Key, ProfileState]:
    users: defaultdict[str, set[str]] = defaultdict(set)
    for app_id, kind, id_ in keys:
        if kind == "user":
            users[app_id].add(id_)
    found: dict[Key, ProfileState] = {}
    for app_id, some in users.items():
        states = await read_states(store, app_id, await read_voices(store, app_id, some))
        found |= {(app_id, "user", user): state for user, state in states.items()}
    return found


def _to_row(key: Key, version: Version, borrowed: ProfileState | None) -> dict[str, Any]:
    own = version.state
    states = [state for state in (own, borrowed) if state is not None]
    whole = reduce(merge, states) if states else _NOTHING
    document = to_document(whole)
    doc = msgspec.json.encode(document)
    traits = user_traits(msgspec.json.decode(doc))
    company_id = msgspec.json.decode(document.get("company_id", b'""'))
    app_id, kind, id_ = key
    return {
        "app_id": app_id,
        "kind": kind,
        "id": id_,
        "version": version.number,
        "own": own is not None,
        "state": "" if own is None else msgspec.json.encode(own).decode(),
        "doc": doc.decode(),
        "name": traits.name,
        "email": traits.email,
        "company_id": company_id if isinstance(company_id, str) else "",
        "anonymous": own is not None and own.anonymous,
        "anonymous_ids": list(whole.anonymous_ids),
        "created_at": within_reach(whole.created_at),
        "modified_at": within_reach(whole.modified_at),
    }
