"""Find stored calls and actions whose owner is another by now, and change it in place.

In: rows of one app, what is known of the keys they came with. Out: the rows are right; who lost and
who gained. The rule of `known` is written down here once more, as SQL over arrays of moments and
names: a test holds the two against each other. What came with a call is never touched.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from headwater.eventstore import EventStore
from headwater.profiles.identity.known import NOBODY, Known
from headwater.profiles.identity.links import Key, Kind

TABLES = ("calls", "actions")
LACKS_USER = "(user_id = '' OR user_by != '')"
LACKS_COMPANY = "(company_id = '' OR company_by != '')"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Moved(msgspec.Struct):
    """Who is concerned. Those who lost something have to be counted from nothing."""

    users: set[str] = msgspec.field(default_factory=set)
    companies: set[str] = msgspec.field(default_factory=set)
    lost_users: set[str] = msgspec.field(default_factory=set)
    lost_companies: set[str] = msgspec.field(default_factory=set)
    rows: int = 0

    def note(self, row: Mapping[str, Any]) -> None:
        """Add a group of rows that change."""
        user, new_user = row["old_user_id"], row["new_user_id"]
        company, new_company = row["old_company_id"], row["new_company_id"]
        self.rows += row["n"]
        self.users |= {user, new_user} - {NOBODY}
        if user != new_user or (company and company != new_company):
            self.lost_users |= {user} - {NOBODY}
        if company != new_company:
            self.companies |= {company, new_company} - {NOBODY}
            self.lost_companies |= {company} - {NOBODY}


class Scope(msgspec.Struct, frozen=True):
    """Some rows, and the owner that each should have: an SQL expression for each column."""

    where: str
    owner: Mapping[str, str]
    values: Mapping[str, Any]


def of_keys(app_id: str, upto: int, keys: Iterable[Key], known: Mapping[Key, Known]) -> Scope:
    """Return the rows without a user of their own that came with one of these keys.

    `known` holds every key of these rows, and every user whom these keys name.
    """
    chosen = list(keys)
    session, browser = _name_of("session", "session_key"), _name_of("anonymous", "anonymous_id")
    user = f"if({session} != '', {session}, {browser})"
    by = f"multiIf({session} != '', 'session', {browser} != '', 'anonymous', '')"
    return Scope(
        f"app_id = {{app_id:String}} AND log_offset <= {{upto:UInt64}} AND {LACKS_USER}"
        " AND (session_key IN {sessions:Array(String)}"
        " OR anonymous_id IN {browsers:Array(String)})",
        _owner(user, by),
        {
            "app_id": app_id,
            "upto": upto,
            "sessions": [key for _, kind, key in chosen if kind == "session"],
            "browsers": [key for _, kind, key in chosen if kind == "anonymous"],
            **_as_arrays(known, ("session", "anonymous", "user")),
        },
    )


def of_users(app_id: str, upto: int, keys: Iterable[Key], known: Mapping[Key, Known]) -> Scope:
    """Return the rows of these users that came without a company."""
    return Scope(
        f"app_id = {{app_id:String}} AND user_id IN {{users:Array(String)}} AND {LACKS_COMPANY}"
        " AND log_offset <= {upto:UInt64}",
        _owner("user_id", "user_by"),
        {
            "app_id": app_id,
            "upto": upto,
            "users": [key for _, _, key in keys],
            **_as_arrays(known, ("user",)),
        },
    )


def _owner(user: str, user_by: str) -> dict[str, str]:
    named = _name_of("user", user)
    return {
        "user_id": user,
        "user_by": user_by,
        "company_id": f"if({LACKS_COMPANY}, {named}, company_id)",
        "company_by": f"if({LACKS_COMPANY} AND {named} != '', 'user', '')",
    }


def _name_of(kind: Kind, key: str) -> str:
    """Return the SQL for whom a key names at `time`."""
    keys = f"{{{kind}_keys:Array(String)}}"
    place = f"transform({key}, {keys}, range(1, length({keys}) + 1), 1)"
    starts = f"arrayElement({{{kind}_starts:Array(Array(Int64))}}, {place})"
    names = f"arrayElement({{{kind}_names:Array(Array(String))}}, {place})"
    passed = f"arrayCount(start -> start <= toUnixTimestamp64Micro(time), {starts})"
    return f"arrayElement({names}, greatest(1, {passed}))"


def _as_arrays(known: Mapping[Key, Known], kinds: Iterable[Kind]) -> dict[str, Any]:
    """Return the values that `_name_of` looks into. The first key is none, and names nobody."""
    values: dict[str, Any] = {}
    for kind in kinds:
        some = [(key, k) for (_, of, key), k in known.items() if of == kind and k.names]
        values[f"{kind}_keys"] = ["", *(key for key, _ in some)]
        values[f"{kind}_starts"] = [[0], *([_us(at) for at in k.starts] for _, k in some)]
        values[f"{kind}_names"] = [[NOBODY], *(list(k.names) for _, k in some)]
    return values


def _us(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


async def move(store: EventStore, table: str, scope: Scope, moved: Moved) -> None:
    """Give the rows of a table their owners, and note who is concerned."""
    months: dict[int, tuple[datetime, datetime]] = {}
    for row in await store.select(_differing(table, scope), scope.values):
        moved.note(row)
        first, last = months.get(row["month"], (row["first"], row["last"]))
        months[row["month"]] = (min(first, row["first"]), max(last, row["last"]))
    if months:
        await store.change(*_update(table, scope, months))


def _update(
    table: str, scope: Scope, months: Mapping[int, tuple[datetime, datetime]]
) -> tuple[str, dict[str, Any]]:
    """Return one statement: the engine rewrites no part of another month."""
    changes = ", ".join(f"{column} = {sql}" for column, sql in scope.owner.items())
    commands, values = [], dict(scope.values)
    for number, (month, (first, last)) in enumerate(sorted(months.items())):
        values |= {f"first_{number}": first, f"last_{number}": last}
        commands.append(
            f"UPDATE {changes} IN PARTITION {int(month)} WHERE {scope.where}"
            f" AND time >= {{first_{number}:DateTime64(6, 'UTC')}}"
            f" AND time <= {{last_{number}:DateTime64(6, 'UTC')}}"
        )
    return f"ALTER TABLE {table} {', '.join(commands)}", values


def _differing(table: str, scope: Scope) -> str:
    old = ", ".join(f"{column} AS old_{column}" for column in scope.owner)
    new = ", ".join(f"{sql} AS new_{column}" for column, sql in scope.owner.items())
    olds = ", ".join(f"toString(old_{column})" for column in scope.owner)
    news = ", ".join(f"toString(new_{column})" for column in scope.owner)
    return (
        "SELECT toYYYYMM(at) AS month, old_user_id, new_user_id, old_company_id, new_company_id,"
        " min(at) AS first, max(at) AS last, count() AS n"
        f" FROM (SELECT time AS at, {old}, {new} FROM {table} WHERE {scope.where})"
        f" WHERE ({olds}) != ({news})"
        " GROUP BY month, old_user_id, new_user_id, old_company_id, new_company_id"
    )
