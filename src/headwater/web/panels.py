"""Fill the panels of the first page: key figures, calls per day, endpoints, newest users.

In: what analytics answers. Out: what the templates show, ready as text. One panel is one reader and
one template; it can be asked for alone.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from headwater.web.facts import DayLabel, Days, Endpoint, NewUser, Stack, Stat, Stats
from headwater.web.figures import (
    Window,
    change_of,
    points_of,
    show_count,
    show_day,
    show_moment,
    show_ms,
    show_percent,
    show_tick,
    spark_points,
)
from headwater.web.questions import Meta, Questions
from headwater.workspace import App

_ENDPOINT = ("request.verb", "request.route")
_OTHER = ("other", "other")
_NEWEST = 8
_SILENT = "none"
# The order of the stack, from the bottom, with a tone for each.
_CLASSES = {"2xx": "1", "3xx": "2", "4xx": "3", "5xx": "4", _SILENT: "other"}


async def read_stats(ask: Questions, app: App, window: Window) -> Stats:  # noqa: ARG001 - one shape
    """Compare the four key figures with the days before."""
    spans = (window.start, window.end), (window.before_start, window.before_end)
    measures = ("calls", "users", "error_rate", "p95_ms")
    answers = await asyncio.gather(
        *(ask.measure(measure, span) for measure in measures for span in spans)
    )
    now, before = answers[::2], answers[1::2]
    calls, users, rate, p95 = (answer.total for answer in now)
    calls_before, users_before, rate_before, p95_before = (answer.total for answer in before)
    figures = (
        ("API calls", show_count(calls), change_of(calls, calls_before, rising="good")),
        ("Active users", show_count(users), change_of(users, users_before, rising="good")),
        (
            "Error rate",
            show_percent(rate),
            points_of(rate, rate_before if calls_before else None, rising="bad"),
        ),
        ("P95 latency", show_ms(p95), change_of(p95, p95_before, rising="bad")),
    )
    lines = (spark_points(answer.values) for answer in now)
    return Stats(
        stats=tuple(Stat(*figure, spark=line) for figure, line in zip(figures, lines, strict=True)),
        remarks=remarks_of(now[0].meta),
    )


def remarks_of(meta: Meta) -> tuple[str, ...]:
    """Say what is not in the numbers, or not exact; nothing when they are whole."""
    facts = (
        (meta.dropped_events, f"{_events(meta.dropped_events)} could not be understood."),
        (meta.late_events, f"{_events(meta.late_events)} came late, and are counted."),
        (meta.sampled, "Some clients sample: their calls are counted by weight."),
    )
    return tuple(text for holds, text in facts if holds)


def _events(number: int) -> str:
    return "1 event" if number == 1 else f"{show_count(number)} events"


async def read_days(ask: Questions, app: App, window: Window) -> Days:  # noqa: ARG001 - one shape
    """Stack the calls of each day by status class."""
    answer = await ask.measure(
        "calls", (window.start, window.end), group_by=("response.status_class",)
    )
    found = {series.key[0]: series.values for series in answer.series}
    return Days(
        label="API calls per day",
        days=tuple(
            DayLabel(text=f"{day:%a} {show_day(day)}", tick=show_tick(day)) for day in window.days
        ),
        series=tuple(
            Stack(
                name="No response" if name == _SILENT else name,
                tone=tone,
                values=tuple(v or 0 for v in found[name]),
            )
            for name, tone in _CLASSES.items()
            if name in found
        ),
    )


async def read_endpoints(ask: Questions, app: App, window: Window) -> list[Endpoint]:  # noqa: ARG001
    """List the most called endpoints with their error rates and latencies."""
    span = (window.start, window.end)
    calls = (await ask.measure("calls", span, group_by=_ENDPOINT)).by_key()
    calls.pop(_OTHER, None)
    keys = list(calls)
    if not keys:
        return []
    rates, p95s = await asyncio.gather(
        *(
            ask.measure(measure, span, group_by=_ENDPOINT, only=keys)
            for measure in ("error_rate", "p95_ms")
        )
    )
    most = max(calls.values())
    return [
        Endpoint(
            verb=key[0],
            route=key[1],
            calls=show_count(calls[key]),
            error_rate=show_percent(rates.by_key().get(key, 0.0)),
            p95=show_ms(p95s.by_key().get(key, 0.0)),
            share_percent=f"{calls[key] / most * 100:.1f}",
        )
        for key in keys
    ]


async def read_people(ask: Questions, app: App, window: Window) -> list[NewUser]:
    """List the users who came last."""
    users = await ask.newest_users((window.start, window.end), _NEWEST)
    return [
        NewUser(
            id=user.user_id,
            name=user.name or user.user_id,
            detail=user.email or (user.user_id if user.name else ""),
            company=user.company_id,
            first_seen=show_moment(user.first_seen_at, app.timezone) if user.first_seen_at else "",
            calls=show_count(user.calls),
        )
        for user in users
    ]


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """One panel: how it looks, how often it asks again, and who fills it."""

    name: str
    title: str
    read: Callable[[Questions, App, Window], Awaitable[Any]]
    every_s: int
    wide: bool = False
    card: bool = True
    calm: bool = False
    """Not replaced while somebody reads it with pointer or keyboard."""


PANELS: Mapping[str, Panel] = {
    panel.name: panel
    for panel in (
        Panel(
            name="stats", title="Key figures", read=read_stats, every_s=10, wide=True, card=False
        ),
        Panel(
            name="days", title="API calls per day", read=read_days, every_s=10, wide=True, calm=True
        ),
        Panel(name="endpoints", title="Top endpoints", read=read_endpoints, every_s=30, calm=True),
        Panel(name="people", title="Newest users", read=read_people, every_s=30, calm=True),
    )
}
