"""Say how users and companies stand to the API: new, active, resurrected or dormant.

In: ids, the app's numbers of days, the time. Out: a word for each that ever called, and the silence
that it came from. Defined by API calls alone, in docs/concepts/profiles.md; users to the quarter of
an hour, companies to the day.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

from headwater.eventstore import MANY_IDS, EventStore, many_ids
from headwater.model import LifecycleRule
from headwater.profiles.people import Lifecycle, Silence

_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_S = 2**32 - 1
_EVER = """
SELECT {who} AS id, min(first_seen_at) AS first_seen_at FROM {seen}
WHERE app_id = {{app_id:String}} AND {who} IN {many_ids}
GROUP BY id HAVING sum(calls) > 0
"""
# What lies further back than twice the days of dormancy cannot tell active from resurrected.
_LATELY = """
SELECT
    {who} AS id,
    maxOrNullIf({at}, {at} < toDateTime({{edge:Int64}}, 'UTC')) AS before,
    minOrNullIf({at}, {at} >= toDateTime({{edge:Int64}}, 'UTC')) AS since
FROM {days}
WHERE app_id = {{app_id:String}} AND {who} IN {many_ids}
    AND {at} >= toDateTime({{start:Int64}}, 'UTC'){more}{until}
GROUP BY id
"""
_LONG_AGO = """
SELECT {who} AS id, max({at}) AS before FROM {days}
WHERE app_id = {{app_id:String}} AND {who} IN {many_ids}
    AND {at} < toDateTime({{start:Int64}}, 'UTC'){more}
GROUP BY id
"""
_UNTIL = " AND {at} <= toDateTime({{until:Int64}}, 'UTC')"
_OF: Mapping[str, dict[str, str]] = {
    "user": {
        "who": "user_id",
        "seen": "people_seen",
        "days": "activity",
        "at": "slot",
        "more": " AND calls > 0",
        "many_ids": MANY_IDS,
    },
    "company": {
        "who": "company_id",
        "seen": "companies_seen",
        "days": "company_days",
        "at": "toDateTime(day, 'UTC')",
        "more": "",
        "many_ids": MANY_IDS,
    },
}


class Recent(NamedTuple):
    """The last activity before the edge of dormancy, and the first one since."""

    before: datetime | None = None
    since: datetime | None = None


_SILENT = Recent()


class Standing(NamedTuple):
    """How somebody stands, and since which silence."""

    lifecycle: Lifecycle
    silence: Silence | None = None


async def read_standings(
    store: EventStore,
    app_id: str,
    kind: Literal["user", "company"],
    ids: Sequence[str],
    rule: LifecycleRule,
    now: datetime,
    *,
    as_then: bool = False,
) -> dict[str, Standing]:
    """Return the standing of each of `ids` that ever called; `as_then`: by calls until `now`."""
    if now < _EARLIEST:
        return {}
    silence, newness = timedelta(days=rule.dormant_days), timedelta(days=rule.new_days)
    edge = now - silence
    asked = {
        "app_id": app_id,
        "ids": many_ids(ids),
        "edge": _to_s(edge),
        "start": _to_s(edge - silence),
        "until": _to_s(now),
    }
    of = _OF[kind] | {"until": _UNTIL.format_map(_OF[kind]) if as_then else ""}
    ever, lately = await asyncio.gather(
        store.select(_EVER.format_map(of), asked), store.select(_LATELY.format_map(of), asked)
    )
    recent = {row["id"]: Recent(row["before"], row["since"]) for row in lately}
    first = {row["id"]: row["first_seen_at"] for row in ever}
    unclear = [
        id_ for id_, at in first.items() if at < edge and recent.get(id_, _SILENT).before is None
    ]
    if unclear:
        recent |= await _look_further(store, of, asked | {"ids": many_ids(unclear)}, recent)
    return {
        id_: _stand(recent[id_], silence, is_new=at >= now - newness)
        for id_, at in first.items()
        if id_ in recent  # not yet, as of a moment before the first call
    }


def _to_s(at: datetime) -> int:
    """Return seconds that the engine's DateTime can hold."""
    return min(max(int(at.timestamp()), 0), _LATEST_S)


def _stand(recent: Recent, silence: timedelta, *, is_new: bool) -> Standing:
    before, since = recent
    is_long = before is not None and (since is None or since - before > silence)
    found = (
        Silence(since=before, dormant_at=before + silence, ended_at=since)
        if before is not None and is_long
        else None
    )
    if since is None:
        return Standing("dormant", found)
    if is_new:
        return Standing("new")
    return Standing("resurrected", found) if found else Standing("active")


async def _look_further(
    store: EventStore,
    of: Mapping[str, str],
    asked: Mapping[str, Any],
    recent: Mapping[str, Recent],
) -> dict[str, Recent]:
    """Return those with a call before what is looked at first."""
    return {
        row["id"]: recent.get(row["id"], _SILENT)._replace(before=row["before"])
        for row in await store.select(_LONG_AGO.format_map(of), asked)
    }
