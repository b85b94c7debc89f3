"""Time series against a straight recount: random histories, real zones, both ways to the number."""

import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from headwater.model import ApiCall
from tests.rooms.analytics.conftest import Ask, Populate
from tests.support.calls import make_call

# Both ends of summer time; Kathmandu is a quarter of an hour off the rest.
CASES = [
    ("Europe/Berlin", datetime(2026, 10, 23, 22, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 3, 27, 23, tzinfo=UTC)),
    ("America/St_Johns", datetime(2026, 10, 30, 2, 30, tzinfo=UTC)),
    ("Asia/Kathmandu", datetime(2026, 11, 1, 18, 15, tzinfo=UTC)),
]


def _history(seed: int, begin: datetime) -> list[ApiCall]:
    draw = random.Random(seed)
    return [
        make_call(
            f"c{n}",
            time=begin + timedelta(seconds=draw.uniform(0, 4 * 86_400)),
            received_at=begin + timedelta(days=5),
            status=draw.choice((200, 201, 404, 500)),
            verb=draw.choice(("GET", "POST")),
            weight=draw.choice((1, 1, 4)),
            user_id=draw.choice("abc"),
        )
        for n in range(300)
    ]


def _recount(calls: Sequence[ApiCall], zone: str, interval: str) -> dict[datetime, int]:
    """Count by the wall clock of the zone, one call after the other."""
    counted: Counter[datetime] = Counter()
    for call in calls:
        local = call.time.astimezone(ZoneInfo(zone))
        if interval == "day":
            start = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        else:
            start = local.replace(minute=0, second=0, microsecond=0)
        counted[start.astimezone(UTC)] += call.weight
    return counted


@pytest.mark.parametrize(("zone", "begin"), CASES, ids=str)
async def test_every_bucket_equals_a_recount(
    populate: Populate, ask: Ask, zone: str, begin: datetime
) -> None:
    """Days of 23 and 25 hours included; and the counters say the same as the calls."""
    calls = _history(7, begin)
    await populate(calls)
    span = {"from_": begin.isoformat(), "to": (begin + timedelta(days=4)).isoformat()}
    for interval in ("day", "hour"):
        fast = await ask("timeseries", zone=zone, interval=interval, **span)
        everything = {"field": "user_id", "op": "in", "value": ["a", "b", "c"]}
        slow = await ask("timeseries", zone=zone, interval=interval, filters=everything, **span)

        values = fast["series"][0]["values"]
        found = {
            datetime.fromisoformat(start): value
            for start, value in zip(fast["buckets"], values, strict=True)
            if value
        }
        assert found == _recount(calls, zone, interval)
        assert fast["series"] == slow["series"]
        assert "counters" in fast["meta"]["sql"][0]["query"]
        assert "counters" not in slow["meta"]["sql"][0]["query"]


@pytest.mark.parametrize("group_by", [["request.verb"], ["response.status_class", "request.verb"]])
async def test_groups_equal_a_recount(populate: Populate, ask: Ask, group_by: list[str]) -> None:
    """Weighted totals by group, from the counters."""
    zone, begin = CASES[0]
    calls = _history(11, begin)
    await populate(calls)
    expected: Counter[tuple[str, ...]] = Counter()
    for call in calls:
        facts = {"request.verb": call.verb, "response.status_class": f"{call.status // 100}xx"}
        expected[tuple(facts[name] for name in group_by)] += call.weight

    answer = await ask(
        "timeseries", zone=zone, group_by=group_by,
        from_=begin.isoformat(), to=(begin + timedelta(days=4)).isoformat(),
    )  # fmt: skip

    assert {tuple(line["key"]): line["total"] for line in answer["series"]} == expected


@pytest.mark.parametrize("minutes", [0, 7, 15, 61], ids=str)
@pytest.mark.parametrize("measure", ["calls", "error_rate"])
async def test_counters_and_calls_tell_the_same(
    populate: Populate, ask: Ask, measure: str, minutes: int
) -> None:
    """Wherever the range begins and ends, whatever is filtered, in both ways to the number."""
    _, begin = CASES[0]
    await populate(_history(3, begin))
    span = {
        "from_": (begin + timedelta(minutes=minutes, seconds=11)).isoformat(),
        "to": (begin + timedelta(days=3, minutes=3 * minutes)).isoformat(),
    }
    failed = {"any": [_is("response.status_class", "5xx"), {"not": _is("request.verb", "GET")}]}
    everybody = {"field": "user_id", "op": "in", "value": ["a", "b", "c"]}
    for tree in ({}, failed):
        spec = {"measure": measure, "interval": "hour", "group_by": ["request.verb"], **span}
        fast = await ask("timeseries", filters=tree, **spec)
        slow = await ask("timeseries", filters={"all": [tree, everybody]}, **spec)

        assert fast["series"] == slow["series"]
        assert "counters" in fast["meta"]["sql"][0]["query"]
        assert "counters" not in slow["meta"]["sql"][0]["query"]
        counted = await ask("count", filters=tree, **span)
        recounted = await ask("count", filters={"all": [tree, everybody]}, **span)
        assert (counted["count"], counted["events"]) == (recounted["count"], recounted["events"])


def _is(field: str, value: str) -> dict[str, str]:
    return {"field": field, "op": "eq", "value": value}


async def test_a_range_within_a_quarter_of_an_hour_is_counted_from_the_calls(
    populate: Populate, ask: Ask
) -> None:
    """No whole quarter lies in it; buckets of minutes cut quarters apart."""
    _, begin = CASES[0]
    calls = [make_call(f"c{n}", time=begin + timedelta(minutes=n)) for n in range(30)]
    await populate(calls)

    short = await ask(
        "count",
        from_=(begin + timedelta(minutes=2)).isoformat(),
        to=(begin + timedelta(minutes=14)).isoformat(),
    )
    minutes = await ask(
        "timeseries",
        interval="minute",
        from_=begin.isoformat(),
        to=(begin + timedelta(minutes=30)).isoformat(),
    )

    assert short["count"] == 12
    assert minutes["series"][0]["values"] == [1] * 30
