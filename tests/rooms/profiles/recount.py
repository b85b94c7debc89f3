"""Count a rollup again, in the plainest Python, to hold the engine's answer against."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tests.rooms.profiles.history import Call


def recount(
    calls: Sequence[Call], timezone: str, start: datetime, end: datetime, day: str | None
) -> dict[str, Any]:
    """Return one user's rollup as it must read on the wire."""
    zone = ZoneInfo(timezone)
    window = [call for call in calls if start <= call.time < end]
    total = count(window)
    failed = count(window, lambda c: c.status >= 400)
    timed = [call for call in window if call.duration_ms > 0]
    week, week_before = weeks(calls, zone, end, day)
    days = last_days(zone, end)
    past = [c for c in calls if c.time < end and c.time >= lookback(zone, end, days)]
    active = {local_day(c.time, zone) for c in past} & set(days)
    named: dict[str, Any] = {"date": day} if day else {"from": wire(start), "to": wire(end)}
    numbers = {
        **named,
        "totalCalls": total,
        "successfulCalls": count(window, lambda c: 200 <= c.status < 400),
        "clientErrors": count(window, lambda c: 400 <= c.status < 500),
        "serverErrors": count(window, lambda c: c.status >= 500),
        "errorRate": half_up(failed, total, 4) if total else 0.0,
        "blockedCalls": count(window, lambda c: c.blocked_by != ""),
        "latencyMs": {
            "p50": quantile(timed, 0.5),
            "p90": quantile(timed, 0.9),
            "p99": quantile(timed, 0.99),
            "mean": mean(timed),
        },
        "requestBytes": sum(c.request_bytes * c.weight for c in window),
        "responseBytes": sum(c.response_bytes * c.weight for c in window),
        "activeHours": len({(c.time - start) // timedelta(hours=1) for c in window}),
        "distinctEndpoints": len({(c.verb, c.route) for c in window}),
        "topEndpoints": top_endpoints(window),
        "topErrors": [
            {"verb": verb, "route": route, "status": status, "calls": calls}
            for (verb, route, status), calls in top(
                [c for c in window if c.status >= 400], lambda c: (c.verb, c.route, c.status), 5
            )
        ],
        "clients": [
            {"name": name, "version": version, "calls": calls}
            for (name, version), calls in top(
                [c for c in window if c.client_name], lambda c: (c.client_name, c.client_version), 5
            )
        ],
        "firstCallAt": wire(min(c.time for c in window)) if window else None,
        "lastCallAt": wire(max(c.time for c in window)) if window else None,
        "callsPrevious7Days": week,
        "callsTrend7Days": half_up(week, week_before, 4) if week_before else None,
        "daysActiveLast28": len(active),
        "sampled": True if any(c.weight != 1 for c in past) else None,
    }
    return {name: value for name, value in numbers.items() if value is not None}


def count(calls: Sequence[Call], wanted: Callable[[Call], bool] = lambda _: True) -> int:
    return sum(call.weight for call in calls if wanted(call))


def half_up(number: int, by: int, decimals: int) -> float:
    """Divide without any rounding, then round once, as people do."""
    exact = Decimal(number) / Decimal(by)
    return float(exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP))


def micros(call: Call) -> int:
    return round(call.duration_ms * 1000)


def quantile(calls: Sequence[Call], level: float) -> float:
    """The smallest duration that at least `level` of all the calls stay within."""
    left = math.ceil(count(calls) * level)
    for call in sorted(calls, key=micros):
        left -= call.weight
        if left <= 0:
            return half_up(micros(call), 1000, 1)
    return 0.0


def mean(calls: Sequence[Call]) -> float:
    total = sum(micros(c) * c.weight for c in calls)
    return half_up(total, 1000 * count(calls), 1) if calls else 0.0


def top(calls: Sequence[Call], key: Callable[[Call], tuple[Any, ...]], n: int) -> list[Any]:
    counts: Counter[tuple[Any, ...]] = Counter()
    for call in calls:
        counts[key(call)] += call.weight
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:n]


def top_endpoints(window: Sequence[Call]) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str], list[Call]] = defaultdict(list)
    for call in window:
        groups[call.verb, call.route].append(call)
    return [
        {
            "verb": verb,
            "route": route,
            "calls": calls,
            "errors": count(groups[verb, route], lambda c: c.status >= 400),
            "p90Ms": quantile([c for c in groups[verb, route] if c.duration_ms > 0], 0.9),
        }
        for (verb, route), calls in top(window, lambda c: (c.verb, c.route), 10)
    ]


def last_days(zone: ZoneInfo, end: datetime) -> list[date]:
    last = local_day(end - timedelta(microseconds=1), zone)
    return [last - timedelta(days=back) for back in range(28)]


def weeks(calls: Sequence[Call], zone: ZoneInfo, end: datetime, day: str | None) -> tuple[int, int]:
    if day is None:
        week = count(calls, lambda c: quarter(end - timedelta(days=7)) <= c.time < end)
        both = count(calls, lambda c: quarter(end - timedelta(days=14)) <= c.time < end)
        return week, both - week
    last = date.fromisoformat(day)
    back = [((last - local_day(c.time, zone)).days, c.weight) for c in calls if c.time < end]
    week = sum(weight for days, weight in back if 0 <= days < 7)
    return week, sum(weight for days, weight in back if 7 <= days < 14)


def quarter(at: datetime) -> datetime:
    return datetime.fromtimestamp(at.timestamp() // 900 * 900, UTC)


def lookback(zone: ZoneInfo, end: datetime, days: list[date]) -> datetime:
    """The oldest moment that counts for anything."""
    first = datetime.combine(days[-1], datetime.min.time(), zone).astimezone(UTC)
    return min(first, quarter(end - timedelta(days=14)))


def local_day(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()


def wire(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"
