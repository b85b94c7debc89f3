"""Put users' activity into numbers: exact, weighted, in the app's own days.

In: users and a window of time. Out: one `Rollup` each. The engine makes them whole: it counts in
whole numbers, durations in microseconds, and rounds by whole divisions, half up, so that the answer
never depends on the order of rows. Weeks and days of the past are sums of quarters of an hour.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from headwater.base.clock import to_wire_time
from headwater.eventstore import MANY_IDS, EventStore, many_ids
from headwater.model import Rollup
from headwater.profiles.windows import DAYS_LOOKED_BACK, history

# Rows lie by their day, and the engine looks for whole days only if it is told of days.
_WITHIN = f"""
app_id = {{app_id:String}} AND user_id BETWEEN {{lowest:String}} AND {{highest:String}}
    AND user_id IN {MANY_IDS}
    AND time >= fromUnixTimestamp64Micro({{start:Int64}}, 'UTC')
    AND time < fromUnixTimestamp64Micro({{end:Int64}}, 'UTC')
    AND toDate(time) >= toDate(fromUnixTimestamp64Micro({{start:Int64}}, 'UTC'))
    AND toDate(time) <= toDate(fromUnixTimestamp64Micro({{end:Int64}} - 1, 'UTC'))
"""

# A window is at most 25 hours long, and has a bit for each of its hours.
_ENDPOINTS = f"""
SELECT
    user_id, verb, route,
    sum(weight) AS calls,
    sumIf(weight, status >= 400) AS errors,
    sumIf(weight, status >= 200 AND status < 400) AS successes,
    sumIf(weight, status >= 400 AND status < 500) AS client_errors,
    sumIf(weight, blocked_by != '') AS blocked,
    groupArrayIf(toUInt64(round(duration_ms * 1000)), duration_ms > 0) AS durations_us,
    groupArrayIf(weight, duration_ms > 0) AS weights,
    arrayReduce('quantileExactWeighted(0.9)', durations_us, weights) AS p90_us,
    sumIf(toInt128(round(duration_ms * 1000)) * weight, duration_ms > 0) AS timed_us,
    sumIf(weight, duration_ms > 0) AS timed,
    sum(toUInt128(request_bytes) * weight) AS request_size,
    sum(toUInt128(response_bytes) * weight) AS response_size,
    groupBitOr(bitShiftLeft(
        toUInt64(1), intDiv(toUnixTimestamp64Micro(time) - {{start:Int64}}, 3600000000)
    )) AS hours,
    sumMapIf([status], [weight], status >= 400) AS failures,
    sumIf(weight, time >= toDateTime({{last_quarter_s:Int64}}, 'UTC')) AS last_quarter,
    max(weight) AS heaviest,
    min(time) AS first_at,
    max(time) AS last_at
FROM calls
WHERE {_WITHIN}
GROUP BY user_id, verb, route
"""

_TOTALS = f"""
SELECT
    user_id,
    sum(calls) AS total,
    sum(successes) AS successful,
    sum(client_errors) AS client_failed,
    sum(errors) AS failed,
    sum(blocked) AS blocked_calls,
    arrayReduce(
        'quantilesExactWeighted(0.5, 0.9, 0.99)',
        groupArrayArray(durations_us), groupArrayArray(weights)
    ) AS quantiles_us,
    sum(timed_us) AS total_us,
    sum(timed) AS timed_calls,
    sum(request_size) AS request_total,
    sum(response_size) AS response_total,
    bitCount(groupBitOr(hours)) AS active_hours,
    count() AS endpoints,
    arraySlice(arraySort(
        e -> (-e.calls, e.verb, e.route),
        groupArray(CAST(
            (verb, route, calls, errors, intDiv(p90_us + 50, 100) / 10),
            'Tuple(verb String, route String, calls UInt64, errors UInt64, p90Ms Float64)'
        ))
    ), 1, 10) AS top_endpoints,
    arraySlice(arraySort(
        e -> (-e.calls, e.verb, e.route, e.status),
        groupArrayArray(CAST(
            arrayMap((status, n) -> (verb, route, status, n), failures.1, failures.2),
            'Array(Tuple(verb String, route String, status UInt16, calls UInt64))'
        ))
    ), 1, 5) AS top_errors,
    sum(last_quarter) AS calls_last_quarter,
    max(heaviest) AS heaviest_call,
    min(first_at) AS first_call_at,
    max(last_at) AS last_call_at
FROM ({_ENDPOINTS})
GROUP BY user_id
"""

# Asked apart: to add up maps of clients, endpoint by endpoint, takes longer than a second look.
_CLIENTS = f"""
SELECT
    user_id,
    arraySlice(arraySort(
        c -> (-c.calls, c.name, c.version),
        groupArray(CAST(
            (client_name, client_version, calls),
            'Tuple(name String, version String, calls UInt64)'
        ))
    ), 1, 5) AS top_clients
FROM (
    SELECT user_id, client_name, client_version, sum(weight) AS calls FROM calls
    WHERE {_WITHIN} AND client_name != ''
    GROUP BY user_id, client_name, client_version
)
GROUP BY user_id
"""

# The quarter of an hour in which a window ends may hold calls of after it: those of the window are
# added afterwards. Days have bits, from 1 on; 0 is for what lies before them.
_PAST = f"""
SELECT
    user_id,
    sumIf(calls, slot >= toDateTime({{week_s:Int64}}, 'UTC')) AS week,
    sumIf(calls, slot >= toDateTime({{week_before_s:Int64}}, 'UTC')) - week AS week_before,
    groupBitOr(bitShiftLeft(
        toUInt64(1), arrayCount(day_s -> day_s <= toUnixTimestamp(slot), {{days_s:Array(Int64)}})
    )) AS days,
    max(heaviest) AS heaviest
FROM activity
WHERE app_id = {{app_id:String}} AND user_id BETWEEN {{lowest:String}} AND {{highest:String}}
    AND user_id IN {MANY_IDS}
    AND slot >= toDateTime({{past_s:Int64}}, 'UTC')
    AND slot < toDateTime({{last_quarter_s:Int64}}, 'UTC')
GROUP BY user_id
"""


def _wire_time(column: str) -> str:
    return f"concat(replaceOne(toString(toDateTime64({column}, 3, 'UTC')), ' ', 'T'), 'Z')"


# Whatever is in the quarter of an hour in which a window ends is of the window's last day.
_LAST_DAY = f"toUInt64({1 << DAYS_LOOKED_BACK})"
_ROLLUPS = f"""
SELECT
    asked.id AS user_id,
    nullIf({{date:String}}, '') AS `date`,
    nullIf({{start_text:String}}, '') AS `from`,
    nullIf({{end_text:String}}, '') AS `to`,
    total AS totalCalls,
    successful AS successfulCalls,
    client_failed AS clientErrors,
    failed - client_failed AS serverErrors,
    intDiv(toInt128(failed) * 20000 + total, 2 * greatest(total, 1)) / 10000 AS errorRate,
    blocked_calls AS blockedCalls,
    CAST(
        (
            intDiv(quantiles_us[1] + 50, 100) / 10,
            intDiv(quantiles_us[2] + 50, 100) / 10,
            intDiv(quantiles_us[3] + 50, 100) / 10,
            intDiv(total_us + 50 * timed_calls, 100 * greatest(timed_calls, 1)) / 10
        ),
        'Tuple(p50 Float64, p90 Float64, p99 Float64, mean Float64)'
    ) AS latencyMs,
    request_total AS requestBytes,
    response_total AS responseBytes,
    active_hours AS activeHours,
    endpoints AS distinctEndpoints,
    top_endpoints AS topEndpoints,
    top_errors AS topErrors,
    top_clients AS clients,
    if(total = 0, NULL, {_wire_time("first_call_at")}) AS firstCallAt,
    if(total = 0, NULL, {_wire_time("last_call_at")}) AS lastCallAt,
    week + calls_last_quarter AS callsPrevious7Days,
    if(week_before = 0, NULL, intDiv(
        toInt128(callsPrevious7Days) * 20000 + week_before, 2 * greatest(week_before, 1)
    ) / 10000) AS callsTrend7Days,
    bitCount(bitShiftRight(
        bitOr(days, if(calls_last_quarter > 0, {_LAST_DAY}, 0)), 1
    )) AS daysActiveLast28,
    if(greatest(past.heaviest, heaviest_call) > 1, true, NULL) AS sampled
FROM {MANY_IDS} AS asked
LEFT JOIN ({_TOTALS}) AS totals ON totals.user_id = asked.id
LEFT JOIN ({_CLIENTS}) AS callers ON callers.user_id = asked.id
LEFT JOIN ({_PAST}) AS past ON past.user_id = asked.id
"""


class _Owner(msgspec.Struct):
    user_id: str


_OWNER = msgspec.json.Decoder(_Owner)
_ROLLUP = msgspec.json.Decoder(Rollup)
_MICROS = 1_000_000


class Rollups(Mapping[str, Rollup]):
    """Rollups as the engine wrote them: one is decoded when it is asked for, and not kept."""

    def __init__(self, lines: bytes) -> None:
        owners = (owner.user_id for owner in _OWNER.decode_lines(lines))
        self._lines = dict(zip(owners, lines.splitlines(), strict=True))

    def __getitem__(self, user_id: str) -> Rollup:
        return _ROLLUP.decode(self._lines[user_id])

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)


async def read_rollups(
    store: EventStore,
    app_id: str,
    timezone: str,
    user_ids: Sequence[str],
    start: datetime,
    end: datetime,
    *,
    day: str | None,
) -> Mapping[str, Rollup]:
    """Return one rollup for each of `user_ids`, whether or not they called."""
    if not user_ids:
        return {}
    past = history(timezone, end, whole_days=day is not None)
    lines = await store.select_lines(
        _ROLLUPS,
        {
            "app_id": app_id,
            "ids": many_ids(user_ids),
            "lowest": min(user_ids),
            "highest": max(user_ids),
            "start": _micros(start),
            "end": _micros(end),
            "date": day or "",
            "start_text": "" if day else to_wire_time(start),
            "end_text": "" if day else to_wire_time(end),
            "past_s": _seconds(past.first),
            "week_s": _seconds(past.week),
            "week_before_s": _seconds(past.week_before),
            "days_s": [_seconds(at) for at in past.days],
            "last_quarter_s": _seconds(past.last_quarter),
        },
    )
    return await asyncio.to_thread(Rollups, lines)


def _micros(at: datetime) -> int:
    return _seconds(at) * _MICROS + at.microsecond


def _seconds(at: datetime) -> int:
    delta = at - datetime(1970, 1, 1, tzinfo=UTC)
    return delta.days * 86_400 + delta.seconds
