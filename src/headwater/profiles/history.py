"""Keep every update of a profile, and read what was said up to a moment, or what changed when.

In: updates with their states. Out: one row an update, never changed again; states as of a moment;
changes with the value before. Safe to repeat with the same token.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any

import msgspec
import pyarrow as pa
from msgspec import Raw

from headwater.eventstore import EventStore
from headwater.model import ProfileKind, ProfileUpdate
from headwater.profiles.merge import Leaf, ProfileState, merge
from headwater.profiles.visitors import EARLIEST, LATEST, Voice, Voices, within_reach

_SCHEMA = pa.schema(
    [
        ("app_id", pa.string()),
        ("kind", pa.string()),
        ("id", pa.string()),
        ("time", pa.timestamp("us", "UTC")),
        ("update_id", pa.string()),
        ("anonymous", pa.bool_()),
        ("paths", pa.list_(pa.list_(pa.string()))),
        ("values", pa.list_(pa.string())),
        ("log_offset", pa.uint64()),
    ]
)
VOICES = "Array(Tuple(String, Int64, Int64, Bool))"
"""The engine's type of bound voices."""
_WITHIN = """
arrayExists(
    voice -> voice.1 = id AND voice.2 <= toUnixTimestamp64Micro(time)
        AND toUnixTimestamp64Micro(time) < voice.3 AND voice.4 = anonymous,
    {voices}
)
"""
_STATEMENTS = f"""
SELECT id, time, update_id, anonymous, paths, values FROM profile_changes
WHERE app_id = {{app_id:String}} AND kind = {{kind:String}} AND id IN {{ids:Array(String)}}
    AND time <= fromUnixTimestamp64Micro({{at:Int64}}, 'UTC')
    AND {_WITHIN.format(voices=f"{{voices:{VOICES}}}")}
"""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class ProfileChange(msgspec.Struct, frozen=True, kw_only=True):
    """What one update changed."""

    at: datetime
    update_id: str
    fields: dict[str, Raw]
    """Dotted paths to JSON values."""
    before: dict[str, Raw]
    """What was there, of those that had a value."""
    said_of: str = ""
    """The id that it was said of: the user's, or a browser's that is the user's."""


Spoken = Sequence[tuple[int, ProfileUpdate, ProfileState]]
"""Updates with their log offsets and what they say."""


async def keep_history(store: EventStore, spoken: Spoken, *, token: str) -> None:
    """Write a row for each update. Safe to repeat."""
    rows = [_to_row(*said) for said in spoken]
    await store.insert("profile_changes", pa.Table.from_pylist(rows, _SCHEMA), token=token)


def _to_row(offset: int, update: ProfileUpdate, state: ProfileState) -> dict[str, Any]:
    return {
        "app_id": update.app_id,
        "kind": update.kind,
        "id": update.id or update.anonymous_id,
        "time": within_reach(state.modified_at),
        "update_id": update.update_id,
        "anonymous": state.anonymous,
        "paths": [list(leaf.path) for leaf in state.leaves],
        "values": [bytes(leaf.value).decode() for leaf in state.leaves],
        "log_offset": offset,
    }


async def read_states(
    store: EventStore,
    app_id: str,
    voices: Mapping[str, Sequence[Voice]],
    at: datetime = LATEST,
    kind: ProfileKind = "user",
) -> dict[str, ProfileState]:
    """Return what was said of each by these voices until `at`; nothing of some."""
    if not any(voices.values()):
        return {}
    rows = await store.select(
        _STATEMENTS,
        {
            "app_id": app_id,
            "kind": kind,
            "ids": sorted({voice.id for some in voices.values() for voice in some}),
            "at": to_us(at),
            "voices": bind_voices(voice for some in voices.values() for voice in some),
        },
    )
    said: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        said[row["id"]].append(row)
    return {
        whose: reduce(merge, states)
        for whose, some in voices.items()
        if (
            states := [
                _to_state(row) for voice in some for row in said[voice.id] if voice.is_of(row)
            ]
        )
    }


def _to_state(row: Mapping[str, Any]) -> ProfileState:
    at, by = row["time"], row["update_id"]
    return ProfileState(
        created_at=at,
        modified_at=at,
        anonymous=row["anonymous"],
        leaves=tuple(
            Leaf(tuple(path), Raw(value.encode()), at, by)
            for path, value in zip(row["paths"], row["values"], strict=True)
        ),
        anonymous_ids=(row["id"],) if row["anonymous"] else (),
    )


def changes_sql(app: str, kind: str, ids: str, voices: str, start: str, end: str) -> str:
    """Return the query for what changed within a time; each name is that of a bound value.

    A value is a change when the one before it, of the same path, was another or none.
    """
    return (
        "SELECT time, update_id, groupArray(path) AS paths, groupArray(value) AS values,"
        " groupArray(before) AS befores, any(id) AS said_of FROM ("
        "SELECT time, update_id, id, path, value,"
        " lagInFrame(value) OVER (PARTITION BY path ORDER BY time, update_id"
        " ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS before"
        " FROM profile_changes ARRAY JOIN paths AS path, values AS value"
        f" WHERE app_id = {app} AND kind = {kind} AND id IN {ids}"
        f" AND time < {end} AND {_WITHIN.format(voices=voices)}"
        f") WHERE value != before AND time >= {start} GROUP BY time, update_id"
    )


def words_sql(app: str, kind: str, end: str, visitors: str) -> str:
    """Return the query for every update before `end`; each name is that of a bound value.

    Rows: id, time, update_id, paths, values. `visitors` is what `bind_visitors` made, or nothing:
    what a visitor said is the user's for as long as the visitor was that user.
    """
    columns = "time, update_id, paths, values"
    source = f"FROM profile_changes WHERE app_id = {app} AND kind = '{kind}' AND time < {end}"
    own = f"SELECT id, {columns} {source} AND NOT anonymous"
    if not visitors:
        return own
    rows = f"arrayJoin(JSONExtract({visitors}, 'Array(Tuple(String, String, Int64, Int64))'))"
    return (
        f"{own} UNION ALL SELECT voice.1 AS id, {columns}"
        f" FROM (SELECT id AS visitor, {columns} {source} AND anonymous) AS said"
        f" INNER JOIN (SELECT {rows} AS voice, voice.2 AS visitor) AS heard USING visitor"
        " WHERE voice.3 <= toUnixTimestamp64Micro(time) AND toUnixTimestamp64Micro(time) < voice.4"
    )


def bind_visitors(voices: Voices) -> str:
    """Return the voices of visitors as `words_sql` takes them."""
    rows = [
        (user_id, voice.id, to_us(voice.start), to_us(voice.end))
        for user_id, some in voices.items()
        for voice in some
    ]
    return msgspec.json.encode(rows).decode()


def read_changes(rows: Iterable[Mapping[str, Any]]) -> list[ProfileChange]:
    """Return the answer to `changes_sql` as changes, oldest first."""
    return sorted(
        (_to_change(row) for row in rows), key=lambda change: (change.at, change.update_id)
    )


def _to_change(row: Mapping[str, Any]) -> ProfileChange:
    names = [".".join(path) for path in row["paths"]]
    return ProfileChange(
        at=row["time"],
        update_id=row["update_id"],
        said_of=row["said_of"],
        fields={
            name: Raw(value.encode()) for name, value in zip(names, row["values"], strict=True)
        },
        before={
            name: Raw(value.encode())
            for name, value in zip(names, row["befores"], strict=True)
            if value
        },
    )


def bind_voices(voices: Iterable[Voice]) -> list[tuple[str, int, int, bool]]:
    """Return voices as the queries take them."""
    return [(v.id, to_us(v.start), to_us(v.end), v.is_visitor) for v in voices]


def own_voice(user_id: str) -> Voice:
    """Return the voice of what was said under the user's own id."""
    return Voice(user_id, EARLIEST, LATEST, is_visitor=False)


def to_us(at: datetime) -> int:
    """Return a moment in microseconds."""
    return (at - _EPOCH) // _MICROSECOND
