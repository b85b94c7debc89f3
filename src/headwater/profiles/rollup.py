"""Put a user's activity into numbers: exact, weighted, in the app's own days.

In: users and a window of time. Out: one `Rollup` each. The engine counts whole numbers only;
everything that rounds is done here, so that the answer never depends on the order of rows. Latency
is that of calls whose duration is known.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from headwater.base.clock import to_wire_time
from headwater.eventstore import EventStore
from headwater.model import ClientCount, EndpointCount, ErrorCount, LatencyMs, Rollup
from headwater.profiles.windows import history

TOP_ENDPOINTS = 10
TOP_ERRORS = 5
TOP_CLIENTS = 5
_MICROS = 1_000_000

_WITHIN = """
FROM calls
WHERE app_id = {app_id:String} AND user_id IN {ids:Array(String)}
    AND time >= fromUnixTimestamp64Micro({start:Int64}, 'UTC')
    AND time < fromUnixTimestamp64Micro({end:Int64}, 'UTC')
"""

_TOTALS = f"""
SELECT
    user_id,
    sum(weight) AS total_calls,
    sumIf(weight, status >= 200 AND status < 400) AS successful_calls,
    sumIf(weight, status >= 400 AND status < 500) AS client_errors,
    sumIf(weight, status >= 500) AS server_errors,
    sumIf(weight, blocked_by != '') AS blocked_calls,
    quantilesExactWeightedIf(0.5, 0.9, 0.99)(duration_ms, weight, duration_ms > 0) AS quantiles,
    sumIf(toInt128(round(duration_ms * 1000)) * weight, duration_ms > 0) AS timed_us,
    sumIf(weight, duration_ms > 0) AS timed_calls,
    sum(toUInt128(request_bytes) * weight) AS request_bytes_sum,
    sum(toUInt128(response_bytes) * weight) AS response_bytes_sum,
    uniqExact(intDiv(toUnixTimestamp64Micro(time) - {{start:Int64}}, 3600000000)) AS active_hours,
    uniqExact(verb, route) AS distinct_endpoints,
    min(time) AS first_call_at,
    max(time) AS last_call_at
{_WITHIN}
GROUP BY user_id
"""

_ENDPOINTS = f"""
SELECT
    user_id, verb, route,
    sum(weight) AS calls,
    sumIf(weight, status >= 400) AS errors,
    ifNotFinite(quantileExactWeightedIf(0.9)(duration_ms, weight, duration_ms > 0), 0) AS p90_ms
{_WITHIN}
GROUP BY user_id, verb, route
ORDER BY user_id, calls DESC, verb, route
LIMIT {TOP_ENDPOINTS} BY user_id
"""

_ERRORS = f"""
SELECT user_id, verb, route, status, sum(weight) AS calls
{_WITHIN}
AND status >= 400
GROUP BY user_id, verb, route, status
ORDER BY user_id, calls DESC, verb, route, status
LIMIT {TOP_ERRORS} BY user_id
"""

_CLIENTS = f"""
SELECT user_id, client_name AS name, client_version AS version, sum(weight) AS calls
{_WITHIN}
AND client_name != ''
GROUP BY user_id, name, version
ORDER BY user_id, calls DESC, name, version
LIMIT {TOP_CLIENTS} BY user_id
"""

_HISTORY = f"""
SELECT
    user_id,
    sumIf(weight, toUnixTimestamp64Micro(time) >= {{week:Int64}}) AS week,
    sumIf(weight, toUnixTimestamp64Micro(time) >= {{week_before:Int64}}
        AND toUnixTimestamp64Micro(time) < {{week:Int64}}) AS week_before,
    uniqExactIf(
        arrayCount(day -> day <= toUnixTimestamp64Micro(time), {{days:Array(Int64)}}),
        toUnixTimestamp64Micro(time) >= {{days:Array(Int64)}}[1]
    ) AS days_active,
    max(weight) > 1 AS sampled
{_WITHIN}
GROUP BY user_id
"""

Row = Mapping[str, Any]


async def read_rollups(
    store: EventStore,
    app_id: str,
    timezone: str,
    user_ids: Sequence[str],
    start: datetime,
    end: datetime,
    *,
    day: str | None,
) -> dict[str, Rollup]:
    """Return one rollup for each of `user_ids`, whether or not they called."""
    past = history(timezone, end, whole_days=day is not None)
    within = {"app_id": app_id, "ids": list(user_ids), "start": _us(start), "end": _us(end)}
    before = {
        **within,
        "start": _us(past.first),
        "week": _us(past.week),
        "week_before": _us(past.week_before),
        "days": [_us(at) for at in past.days],
    }
    totals, endpoints, errors, clients, pasts = await asyncio.gather(
        store.select(_TOTALS, within),
        store.select(_ENDPOINTS, within),
        store.select(_ERRORS, within),
        store.select(_CLIENTS, within),
        store.select(_HISTORY, before),
    )
    parts = [_by_user(rows) for rows in (totals, endpoints, errors, clients, pasts)]
    name: dict[str, Any] = (
        {"date": day} if day else {"from_": to_wire_time(start), "to": to_wire_time(end)}
    )
    return {user: _compose(name, *(part.get(user, []) for part in parts)) for user in user_ids}


def _us(at: datetime) -> int:
    delta = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * _MICROS + delta.microseconds


def _by_user(rows: Sequence[Row]) -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row["user_id"]].append(row)
    return grouped


def _compose(
    name: Mapping[str, Any],
    totals: Sequence[Row],
    endpoints: Sequence[Row],
    errors: Sequence[Row],
    clients: Sequence[Row],
    pasts: Sequence[Row],
) -> Rollup:
    return Rollup(
        **name,
        **(_to_totals(totals[0]) if totals else {}),
        **(_to_history(pasts[0]) if pasts else {}),
        top_endpoints=tuple(_to_endpoint(row) for row in endpoints),
        top_errors=tuple(
            ErrorCount(
                verb=row["verb"], route=row["route"], status=row["status"], calls=row["calls"]
            )
            for row in errors
        ),
        clients=tuple(
            ClientCount(name=row["name"], version=row["version"], calls=row["calls"])
            for row in clients
        ),
    )


def _to_totals(row: Row) -> dict[str, Any]:
    failed = row["client_errors"] + row["server_errors"]
    return {
        "total_calls": row["total_calls"],
        "successful_calls": row["successful_calls"],
        "client_errors": row["client_errors"],
        "server_errors": row["server_errors"],
        "error_rate": round(failed / max(1, row["total_calls"]), 4),
        "blocked_calls": row["blocked_calls"],
        "latency_ms": _to_latency(row),
        "request_bytes": row["request_bytes_sum"],
        "response_bytes": row["response_bytes_sum"],
        "active_hours": row["active_hours"],
        "distinct_endpoints": row["distinct_endpoints"],
        "first_call_at": to_wire_time(row["first_call_at"]),
        "last_call_at": to_wire_time(row["last_call_at"]),
    }


def _to_latency(row: Row) -> LatencyMs:
    if not row["timed_calls"]:
        return LatencyMs(p50=0.0, p90=0.0, p99=0.0, mean=0.0)
    p50, p90, p99 = (round(value, 1) for value in row["quantiles"])
    mean = round(row["timed_us"] / row["timed_calls"] / 1000, 1)
    return LatencyMs(p50=p50, p90=p90, p99=p99, mean=mean)


def _to_endpoint(row: Row) -> EndpointCount:
    return EndpointCount(
        verb=row["verb"],
        route=row["route"],
        calls=row["calls"],
        errors=row["errors"],
        p90_ms=round(row["p90_ms"], 1),
    )


def _to_history(row: Row) -> dict[str, Any]:
    trend = round(row["week"] / row["week_before"], 4) if row["week_before"] else None
    return {
        "calls_previous7_days": row["week"],
        "calls_trend7_days": trend,
        "days_active_last28": row["days_active"],
        "sampled": bool(row["sampled"]) or msgspec.UNSET,
    }
