"""Filters, whatever they are made of: equal to a recount, and every value is only a value."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headwater.analytics.bound import Bound
from headwater.base.errors import InvalidInputError
from headwater.eventstore import EventStore
from headwater.model import ApiCall
from tests.rooms.analytics.conftest import Ask, Populate
from tests.rooms.analytics.recount import NUMBERS, ORDERS, PARTS, TEXTS, is_true
from tests.support.calls import NOON, make_call

WORDS = ("", "a", "ab", "A", "b c", "é", "漢🙂", "a'", "\\", "%", "_", "{p0:String}", "1", "2.5")
STATUSES = (0, 200, 302, 404, 500)
MEMBERS = (1, 2.5, "1", "a", True, None, [1], {"z": 1})

engine_at_work = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@st.composite
def _leaves(draw: st.DrawFn) -> dict[str, Any]:
    field = draw(st.sampled_from([*TEXTS, *NUMBERS]))
    parts = () if field in NUMBERS else tuple(PARTS)
    op = draw(
        st.sampled_from(["eq", "ne", "in", "not_in", "exists", "not_exists", *ORDERS, *parts])
    )
    if op in {"exists", "not_exists"}:
        return {"field": field, "op": op}
    numbers = field in NUMBERS or (field == "request.body.k" and op in ORDERS)
    one = st.sampled_from([*STATUSES, 12.5] if numbers else WORDS)
    value = draw(st.lists(one, max_size=4) if op in {"in", "not_in"} else one)
    return {"field": field, "op": op, "value": value}


TREES = st.recursive(
    _leaves(),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: {"all": parts}),
        st.lists(inner, max_size=3).map(lambda parts: {"any": parts}),
        inner.map(lambda part: {"not": part}),
    ),
    max_leaves=6,
)


class History(list[ApiCall]):
    """Calls, without their hundred lines in the report of a failure."""

    def __repr__(self) -> str:
        return f"{len(self)} calls"


@pytest.fixture
async def history(populate: Populate) -> History:
    """Calls in which every word, status and member occurs, of the asking app and of another."""
    calls = [
        make_call(
            f"c{n}",
            app_id="app_1" if n % 3 else "app_2",
            time=NOON - timedelta(minutes=n),
            user_id=WORDS[n % len(WORDS)],
            company_id=WORDS[n % 3],
            status=STATUSES[n % len(STATUSES)],
            verb="GET" if n % 2 else "a",
            weight=1 + n % 4,
            duration_ms=(0.0, 12.5, 99.0)[n % 3],
            request_headers={"x-plan": WORDS[-(n % 7)]} if n % 5 else {},
            request_body=msgspec.Raw(msgspec.json.encode({"k": MEMBERS[n % len(MEMBERS)]})),
        )
        for n in range(120)
    ]
    calls.append(make_call("bare", user_id=""))
    await populate(calls)
    return History(call for call in calls if call.app_id == "app_1")


@engine_at_work
@given(tree=TREES)
async def test_any_tree_chooses_what_a_recount_chooses(
    history: History, ask: Ask, tree: dict[str, Any]
) -> None:
    """Which calls, and their weighted number; never one of another app."""
    expected = [call for call in history if is_true(tree, call)]

    events = (await ask("events", filters=tree, limit=1000))["events"]
    counted = await ask("count", filters=tree)

    assert {event["transaction_id"] for event in events} == {call.call_id for call in expected}
    assert counted["count"] == sum(call.weight for call in expected)


@engine_at_work
@given(text=st.text(), texts=st.lists(st.text(), max_size=5))
async def test_every_text_survives_as_a_value(
    store: EventStore, text: str, texts: list[str]
) -> None:
    """Quotes, controls, braces, other alphabets: what is bound comes back unchanged."""
    bound = Bound()
    one, many = bound.put(text, "String"), bound.put(texts, "Array(String)")

    (row,) = await store.select(f"SELECT {one} AS one, {many} AS many", bound.values)

    assert (row["one"], row["many"]) == (text, texts)


async def test_whole_numbers_are_equal_however_they_are_written(
    populate: Populate, ask: Ask
) -> None:
    """40 and 40.0 are one number, in the question and in the body."""
    bodies = (b'{"k": 40}', b'{"k": 40.0}', b'{"k": 41}')
    await populate([make_call(f"c{n}", request_body=msgspec.Raw(b)) for n, b in enumerate(bodies)])

    for value in (40, 40.0):
        for op, given_ in (("eq", value), ("in", [value])):
            leaf = {"field": "request.body.k", "op": op, "value": given_}
            assert (await ask("count", filters=leaf))["count"] == 2


async def test_a_number_in_a_path_is_a_place_in_a_list_or_a_name_in_an_object(
    populate: Populate, ask: Ask
) -> None:
    """Never the object's first member, whatever its name."""
    body = b'{"list": [{"n": 7}], "map": {"5": "five", "0": "zero"}, "0": "top"}'
    await populate([make_call(request_body=msgspec.Raw(body))])

    for path, value in (
        ("list.0.n", 7), ("map.0", "zero"), ("map.5", "five"), ("0", "top"),
    ):  # fmt: skip
        leaf = {"field": f"request.body.{path}", "op": "eq", "value": value}
        assert (await ask("count", filters=leaf))["count"] == 1, path
    for path in ("list.1.n", "map.1", "1", "list.n"):
        leaf = {"field": f"request.body.{path}", "op": "exists"}
        assert (await ask("count", filters=leaf))["count"] == 0, path


@pytest.mark.parametrize(
    "tree",
    [
        {"any": [{"field": "user_id", "value": f"u{n}"} for n in range(20_000)]},
        {"any": [{"field": f"user.{'.'.join('abcdefghij')}", "op": "exists"} for _ in range(500)]},
    ],
    ids=["many", "wide"],
)  # fmt: skip
async def test_more_filters_than_the_engine_reads_are_refused(
    ask: Ask, tree: dict[str, Any]
) -> None:
    """The asker hears of it; the engine does not."""
    with pytest.raises(InvalidInputError, match="too many filters"):
        await ask("count", filters=tree)


async def test_as_many_filters_as_are_allowed_are_answered(ask: Ask) -> None:
    """The limit is one that the engine can bear."""
    many = [{"field": "user_id", "value": f"u{n}"} for n in range(1_900)]

    assert (await ask("count", filters={"any": many}))["count"] == 0


async def test_a_number_beyond_all_numbers_is_refused(ask: Ask) -> None:
    """JSON allows it, nothing can be compared with it."""
    with pytest.raises(InvalidInputError) as caught:
        await ask(
            "count",
            filters={"field": "duration_ms", "op": "gt", "value": msgspec.Raw(b"1" + b"0" * 400)},
        )

    assert caught.value.field == "$.filters.value"


async def test_more_values_than_a_chart_shows_are_refused(ask: Ask) -> None:
    """Many groups in many buckets: the answer says what to change."""
    with pytest.raises(InvalidInputError) as caught:
        await ask("timeseries", interval="hour", from_="-90d", group_by=["user_id"], top=1_000)

    assert caught.value.field == "$.top"


async def test_buckets_are_named_as_the_contract_says(ask: Ask) -> None:
    """Whole seconds, UTC, `Z`."""
    answer = await ask("timeseries", zone="Asia/Kathmandu", from_="2026-11-20", to="2026-11-21")

    assert answer["buckets"] == ["2026-11-19T18:15:00Z"]
