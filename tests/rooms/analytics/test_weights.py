"""One event of weight four is four calls, wherever calls are claimed; rows are counted apart."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from msgspec import Raw

from headwater.analytics.measures import _NAMED
from headwater.eventstore import EventStore
from headwater.model import ApiCall
from headwater.profiles import Profiles, day_window
from tests.rooms.analytics.conftest import Ask, Populate
from tests.support.calls import NOON, make_call

USERS_ARE = {"field": "user_id", "op": "in", "value": ["ana", "bo"]}
"""Keeps the counters out: they do not know users."""


def _calls() -> Sequence[ApiCall]:
    body = Raw(b'{"amount": 5}')
    return [
        make_call("a", user_id="ana", weight=4, duration_ms=10, request_bytes=100),
        make_call("b", user_id="ana", weight=3, duration_ms=30, status=404, response_bytes=7),
        make_call("c", user_id="bo", weight=5, status=500, duration_ms=50, blocked_by="rule"),
        make_call("d", user_id="bo", weight=2, duration_ms=20, request_body=body, verb="POST"),
    ]


WEIGHTED = {
    "calls": 14,
    "error_rate": 8 / 14,
    "users": 2,
    "companies": 1,
    "sum:duration_ms": 4 * 10 + 3 * 30 + 5 * 50 + 2 * 20,
    "avg:duration_ms": 30,
    "sum:request.bytes": 400,
    "avg:request.bytes": 400 / 14,
    "sum:request.body.amount": 10,
    "avg:request.body.amount": 5,
    "p50_ms": 30,
    "p75_ms": 50,
    "p90_ms": 50,
    "p99_ms": 50,
}


async def test_every_measure_is_weighted_on_both_ways(populate: Populate, ask: Ask) -> None:
    """From the counters and from the calls; only people are counted by head."""
    await populate(_calls())
    assert set(_NAMED) <= set(WEIGHTED)
    for measure, expected in WEIGHTED.items():
        for filters in ({}, USERS_ARE):
            spec: dict[str, Any] = {"measure": measure, "filters": filters, "from_": "-7d"}
            (series,) = (await ask("timeseries", **spec))["series"]
            assert series["total"] == pytest.approx(expected), (measure, filters)


async def test_a_group_is_as_large_as_its_weight(populate: Populate, ask: Ask) -> None:
    """The largest groups are those of the most calls, not of the most rows."""
    await populate(_calls())
    for filters in ({}, USERS_ARE):
        found = await ask(
            "timeseries", group_by=["request.verb"], filters=filters, from_="-7d", top=1
        )
        lines = [(line["key"], line["total"]) for line in found["series"]]
        assert lines == [(["GET"], 12), (["other"], 2)]


async def test_counts_tell_calls_and_rows(populate: Populate, ask: Ask) -> None:
    """Weight four is four calls, and one event; the answer says that it is sampled."""
    await populate(_calls())
    for filters in ({}, USERS_ARE):
        answer = await ask("count", filters=filters)
        assert (answer["count"], answer["events"]) == (14, 4)
        assert answer["meta"]["sampled"]
    (one,) = (await ask("events", filters={"field": "transaction_id", "value": "a"}))["events"]
    assert one["weight"] == 4


async def test_users_and_their_errors_are_weighted(populate: Populate, ask: Ask) -> None:
    """The list of users, and its order."""
    await populate(_calls())
    users = (await ask("users", order_by="-calls"))["users"]
    assert [(one["user_id"], one["calls"], one["errors"]) for one in users] == [
        ("ana", 7, 3), ("bo", 7, 5),
    ]  # fmt: skip


async def test_rollups_are_weighted(populate: Populate, store: EventStore) -> None:
    """What is sent onward in the name of a user."""
    await populate([
        *_calls(), make_call("old", user_id="ana", weight=5, time=NOON - timedelta(days=8)),
    ])  # fmt: skip
    start, end = day_window("UTC", "2026-11-20")
    rollups = await Profiles(store).rollups(
        "app_1", "UTC", ["ana", "bo"], start, end, day="2026-11-20"
    )
    ana, bo = rollups["ana"], rollups["bo"]
    assert (ana.total_calls, ana.successful_calls, ana.client_errors) == (7, 4, 3)
    assert (ana.error_rate, ana.request_bytes, ana.response_bytes) == (0.4286, 400, 21)
    assert (ana.latency_ms.p50, ana.latency_ms.mean) == (10, 18.6)
    assert (ana.calls_previous7_days, ana.calls_trend7_days) == (7, 1.4)
    assert [one.calls for one in ana.top_endpoints] == [7]
    assert [one.calls for one in ana.top_errors] == [3]
    assert [one.calls for one in ana.clients] == [7]
    assert (bo.server_errors, bo.blocked_calls, bo.total_calls) == (5, 5, 7)
    assert ana.sampled is True


STORED = [
    ("counters", "sum(calls)", 14),
    ("counters", "sum(events)", 4),
    ("counters", "sum(errors)", 8),
    ("counters", "sum(blocked)", 5),
    ("counters", "sum(duration_ms_sum)", 420),
    ("counters", "sum(request_bytes)", 400),
    ("counters", "sum(response_bytes)", 21),
    ("activity", "sum(calls)", 14),
    ("activity", "sum(successes)", 6),
    ("activity", "sum(client_errors)", 3),
    ("activity", "sum(server_errors)", 5),
    ("activity", "sum(blocked)", 5),
    ("people_seen", "sum(calls)", 14),
    ("companies_seen", "sum(calls)", 14),
]


async def test_derived_tables_are_weighted(populate: Populate, store: EventStore) -> None:
    """All reports of now and later read these."""
    await populate(_calls())
    for table, sql, expected in STORED:
        [row] = await store.select(f"SELECT {sql} AS n FROM {table}")
        assert row["n"] == expected, (table, sql)
