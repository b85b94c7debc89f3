"""Keep what people ruled about links, and tell who said each link and when.

In: rulings from the log; a user. Out: rows that stay for ever; the links of a user with their
first evidence and every ruling. The audit of identity.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import msgspec
import pyarrow as pa

from headwater.base.ids import new_id
from headwater.eventstore import EventStore
from headwater.model import KeyKind, LinkRuling, Verdict

_SCHEMA = pa.schema(
    [
        ("app_id", pa.string()),
        ("kind", pa.string()),
        ("key", pa.string()),
        ("value", pa.string()),
        ("said_at", pa.timestamp("us", "UTC")),
        ("ruling_id", pa.string()),
        ("verdict", pa.string()),
        ("said_by", pa.string()),
        ("reason", pa.string()),
        ("log_offset", pa.uint64()),
    ]
)
_OF_USER = """
SELECT kind, key FROM keys_of_users WHERE app_id = {app_id:String} AND user_id = {user_id:String}
UNION DISTINCT
SELECT kind, key FROM link_rulings WHERE app_id = {app_id:String} AND value = {user_id:String}
ORDER BY kind, key LIMIT {limit:UInt32}
"""
_LINKS = """
SELECT kind, key, min(at) AS first_at, max(day) AS last_day, min(said).by AS said_by
FROM links AS l
WHERE l.app_id = {app_id:String} AND l.value = {user_id:String}
    AND (l.kind, l.key) IN {keys:Array(Tuple(String, String))}
GROUP BY kind, key
"""
_RULINGS = """
SELECT kind, key, ruling_id, verdict, said_at, said_by, reason FROM link_rulings FINAL
WHERE app_id = {app_id:String} AND value = {user_id:String}
    AND (kind, key) IN {keys:Array(Tuple(String, String))}
ORDER BY said_at, ruling_id
"""
_ANY = """
SELECT 1 FROM keys_of_users
WHERE app_id = {app_id:String} AND user_id = {user_id:String}
    AND kind = {kind:String} AND key = {key:String}
LIMIT 1
"""
_NO_DAY = date(1970, 1, 1)


class Ruling(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody ruled about a link, and why."""

    ruling_id: str
    verdict: Verdict
    said_at: datetime
    said_by: str
    reason: str


class UserLink(msgspec.Struct, frozen=True, kw_only=True):
    """A session key or browser and a user, with who said so."""

    kind: KeyKind
    key: str
    first_at: datetime | None = None
    """The first evidence; none when only a ruling speaks of it."""
    last_day: date | None = None
    """The last day with evidence; not kept of session keys."""
    said_by: str = ""
    """The call, action or update that told it first."""
    counts: bool = True
    """Whether it joins anything: not when the newest ruling says that it is wrong."""
    rulings: tuple[Ruling, ...] = ()
    """Oldest first."""


async def write_rulings(store: EventStore, rulings: Sequence[LinkRuling], offset: int) -> None:
    """Keep rulings. Safe to repeat: the same ruling twice is one ruling."""
    rows = [
        {
            "app_id": r.app_id,
            "kind": r.kind,
            "key": r.key,
            "value": r.user_id,
            "said_at": r.said_at,
            "ruling_id": r.ruling_id,
            "verdict": r.verdict,
            "said_by": r.said_by,
            "reason": r.reason,
            "log_offset": offset,
        }
        for r in rulings
    ]
    table = pa.Table.from_pylist(rows, _SCHEMA)
    await store.insert("link_rulings", table, token=new_id("rulings"))


async def read_user_links(
    store: EventStore, app_id: str, user_id: str, *, limit: int
) -> list[UserLink]:
    """Return the links of a user, also those that were ruled wrong."""
    asked: dict[str, Any] = {"app_id": app_id, "user_id": user_id, "limit": limit}
    keys = [(row["kind"], row["key"]) for row in await store.select(_OF_USER, asked)]
    if not keys:
        return []
    asked["keys"] = keys
    facts = {(row["kind"], row["key"]): row for row in await store.select(_LINKS, asked)}
    rulings = await store.select(_RULINGS, asked)
    return [
        _to_link(key, facts.get(key, {}), [r for r in rulings if (r["kind"], r["key"]) == key])
        for key in keys
    ]


async def has_link(store: EventStore, app_id: str, kind: KeyKind, key: str, user_id: str) -> bool:
    """Tell whether anything ever said that the key is the user's."""
    asked = {"app_id": app_id, "kind": kind, "key": key, "user_id": user_id}
    return bool(await store.select(_ANY, asked))


def _to_link(
    key: tuple[KeyKind, str], facts: dict[str, Any], rulings: Sequence[dict[str, Any]]
) -> UserLink:
    names = Ruling.__struct_fields__
    return UserLink(
        **{"kind": key[0], "key": key[1], **_facts(facts)},
        counts=not rulings or rulings[-1]["verdict"] == "joined",
        rulings=tuple(Ruling(**{name: row[name] for name in names}) for row in rulings),
    )


def _facts(row: dict[str, Any]) -> dict[str, Any]:
    if not row:
        return {}
    return {
        "first_at": row["first_at"],
        "last_day": None if row["last_day"] == _NO_DAY else row["last_day"],
        "said_by": row["said_by"],
    }
