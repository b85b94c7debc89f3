"""Reports: hand-made histories, and what must be said of them."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from headwater.base.errors import InvalidInputError, NotFoundError
from headwater.model import ProfileUpdate, Reject
from tests.rooms.analytics.conftest import NOW, Ask, Populate
from tests.support.actions import make_action
from tests.support.calls import NOON, make_call, make_calls

IS_ANA = {"field": "user_id", "value": "ana"}
UNKNOWN_OP = {"field": "user_id", "op": "like"}
NO_NUMBER = {"field": "response.status", "value": "x"}
NASTY = ["it's", 'a "b"', "back\\slash", "{p0:String}", "%s", "new\nline", "é 漢 🙂", "' OR 1=1 --"]

CHOICES: list[tuple[dict[str, Any], str]] = [
    ({"field": "request.verb", "op": "eq", "value": "POST"}, "b"),
    ({"field": "request.verb", "op": "ne", "value": "POST"}, "ac"),
    ({"field": "response.status", "op": "in", "value": [404, 500]}, "bc"),
    ({"field": "response.status", "op": "not_in", "value": [404, 500]}, "a"),
    ({"field": "response.status", "op": "gte", "value": 404}, "bc"),
    ({"field": "response.status", "op": "lt", "value": 404}, "a"),
    ({"field": "response.status_class", "op": "eq", "value": "4xx"}, "b"),
    ({"field": "duration_ms", "op": "gt", "value": 100.5}, "c"),
    ({"field": "request.uri", "op": "contains", "value": "page"}, "ac"),
    ({"field": "request.uri", "op": "not_contains", "value": "page"}, "b"),
    ({"field": "request.route", "op": "eq", "value": "/items/:id"}, "ac"),
    ({"field": "request.route", "op": "starts_with", "value": "/orders"}, "b"),
    ({"field": "request.route", "op": "ends_with", "value": ":id"}, "ac"),
    ({"field": "request.route", "op": "matches", "value": "^/(orders|carts)"}, "b"),
    ({"field": "company_id", "op": "exists"}, "ac"),
    ({"field": "company_id", "op": "not_exists"}, "b"),
    ({"field": "client.version", "op": "eq", "value": "5.0.1"}, "abc"),
    ({"field": "request.headers.X-Region", "op": "eq", "value": "eu"}, "b"),
    ({"field": "request.headers.x-region", "op": "not_exists"}, "ac"),
    ({"field": "request.body.order.items.0.sku", "op": "eq", "value": "s-1"}, "b"),
    ({"field": "request.body.order.total", "op": "gt", "value": 9}, "b"),
    ({"field": "request.body.order.total", "op": "gt", "value": 10}, ""),
    ({"field": "request.body.order", "op": "exists"}, "b"),
    ({"field": "response.body.ok", "op": "eq", "value": True}, "b"),
    ({"field": "metadata.region", "op": "eq", "value": "north"}, "c"),
    ({"field": "user.email", "op": "eq", "value": "ana@parcel.example"}, "b"),
    ({"field": "user.metadata.seats", "op": "gte", "value": 40}, "b"),
    ({"any": [{"field": "response.status", "value": 200}, IS_ANA]}, "ab"),
    ({"all": [{"field": "response.status", "op": "gte", "value": 400}, {"not": IS_ANA}]}, "c"),
    ({"any": []}, ""),
    ({}, "abc"),
]  # fmt: skip
WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("count", {"filtres": {}}, "$"),
    ("count", {"from_": "yesterday"}, "$.from"),
    ("count", {"from_": "now", "to": "-1d"}, "$.from"),
    ("count", {"timezone": "Mars/Base"}, "$.timezone"),
    ("count", {"filters": {"field": "nonsense", "value": 1}}, "$.filters.field"),
    ("count", {"filters": {"all": [UNKNOWN_OP]}}, "$.filters.all[0].op"),
    ("count", {"filters": {"not": NO_NUMBER}}, "$.filters.not.value"),
    ("count", {"filters": {"field": "user_id", "value": "x", "vale": 1}}, "$.filters"),
    ("count", {"filters": {"field": "request.body.a'b", "value": 1}}, "$.filters.field"),
    ("count", {"filters": {"field": "user.1.2.3.4", "op": "exists"}}, "$.filters.field"),
    ("timeseries", {"measure": "joy"}, "$.measure"),
    ("timeseries", {"interval": "century"}, "$.interval"),
    ("timeseries", {"interval": "minute", "from_": "-30d"}, "$.interval"),
    ("timeseries", {"group_by": ["user_id"] * 4}, "$.group_by"),
    ("timeseries", {"group_by": ["user_id", "x"]}, "$.group_by[1]"),
    ("events", {"limit": 0}, "$.limit"),
    ("events", {"cursor": "zzz"}, "$.cursor"),
    ("users", {"order_by": "age"}, "$.order_by"),
    ("companies", {"order_by": "user_id"}, "$.order_by"),
    ("user_timeline", {}, "$"),
    ("company_timeline", {"company_id": "acme", "kinds": ["joy"]}, "$.kinds[0]"),
]  # fmt: skip


def _ana(**fields: Any) -> ProfileUpdate:
    plain = {"metadata": {"name": "Ana Example", "email": "ana@parcel.example", "seats": 40}}
    return ProfileUpdate(
        app_id="app_1",
        kind="user",
        id="ana",
        update_id="up_1",
        time=NOON - timedelta(days=1),
        received_at=NOON,
        company_id="parcel",
        fields=Raw(msgspec.json.encode({**plain, **fields})),
    )


async def test_counts_are_weighted(populate: Populate, ask: Ask) -> None:
    """A call of weight four counts four times; the number of rows is told apart."""
    await populate([make_call("a", weight=4), make_call("b", status=500)])

    answer = await ask("count")

    assert (answer["count"], answer["events"], answer["meta"]["sampled"]) == (5, 2, True)
    assert (await ask("count", filters={"field": "response.status", "value": 500}))["count"] == 1


async def test_an_empty_app_answers_with_zero(ask: Ask) -> None:
    """Nothing stored is no error, in any report."""
    assert (await ask("count"))["count"] == 0
    assert (await ask("events"))["events"] == []
    assert (await ask("users"))["users"] == []
    assert (await ask("user_timeline", user_id="x"))["items"] == []
    series = await ask("timeseries", from_="-3d", interval="day")
    assert series["series"][0]["values"] == [0, 0, 0]
    assert series["meta"]["complete_until"] is None


async def test_filters_choose_the_calls(populate: Populate, ask: Ask) -> None:
    """Each op on each kind of field chooses what its words say."""
    await populate(
        [
            make_call("a"),
            make_call(
                "b",
                verb="POST",
                uri="https://api.example.com/orders",
                status=404,
                company_id="",
                user_id="ana",
                request_headers={"user-agent": "stripe-python/5.0.1", "x-region": "eu"},
                request_body=Raw(b'{"order": {"items": [{"sku": "s-1"}], "total": 9.5}}'),
                response_body=Raw(b'{"ok": true}'),
            ),
            make_call("c", status=500, duration_ms=101, metadata=Raw(b'{"region": "north"}')),
            # Without a company: else her calls would belong to it.
            msgspec.structs.replace(_ana(), company_id=""),
        ]
    )

    for filters, ids in CHOICES:
        events = (await ask("events", filters=filters))["events"]
        assert "".join(sorted(event["transaction_id"] for event in events)) == ids, filters
        assert (await ask("count", filters=filters))["events"] == len(ids), filters


async def test_any_value_is_data(populate: Populate, ask: Ask) -> None:
    """Quotes, braces and controls are values: found when equal, harmless otherwise."""
    await populate([make_call(f"c{n}", user_id=value) for n, value in enumerate(NASTY)])

    for value in NASTY:
        for op, given in (("eq", value), ("contains", value), ("in", [value, "x"])):
            leaf = {"field": "user_id", "op": op, "value": given}
            found = (await ask("events", filters=leaf))["events"]
            assert [event["user_id"] for event in found] == [value], op
    series = (await ask("timeseries", group_by=["user_id"], top=3))["series"]
    assert {line["key"][0] for line in series} <= {*NASTY, "other"}
    assert [line["total"] for line in series] == [1, 1, 1, len(NASTY) - 3]


async def test_another_apps_data_never_shows(populate: Populate, ask: Ask) -> None:
    """Each report of one app is as if the other did not exist."""
    await populate([make_call("a"), make_call("b", app_id="app_2"), _ana()])

    assert (await ask("count", app_id="app_2"))["count"] == 1
    assert [e["transaction_id"] for e in (await ask("events", app_id="app_2"))["events"]] == ["b"]
    assert [u["user_id"] for u in (await ask("users", app_id="app_2"))["users"]] == ["user_1"]
    assert (await ask("user_timeline", app_id="app_2", user_id="ana"))["items"] == []
    for app_id in ("app_3", "' OR 1=1 --"):
        assert (await ask("count", app_id=app_id))["count"] == 0
        series = await ask("timeseries", app_id=app_id, from_="-2d")
        assert series["series"][0]["total"] == 0
        assert series["meta"]["complete_until"] is None


async def test_pages_follow_one_another(populate: Populate, ask: Ask) -> None:
    """Cursors walk through all calls and users once, equal times included."""
    await populate(
        [
            call
            for n in range(7)
            for call in [make_call(f"c{n}", user_id=f"u{n}", time=NOON + timedelta(minutes=n // 2))]
        ]
    )
    for kind, field, list_ in (
        ("events", "transaction_id", "events"),
        ("users", "user_id", "users"),
    ):
        seen, cursor = [], ""
        while True:
            page = await ask(kind, limit=3, cursor=cursor)
            seen += [item[field] for item in page[list_]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert len(seen) == len(set(seen)) == 7


async def test_an_event_shows_what_was_sent(populate: Populate, ask: Ask) -> None:
    """Headers and bodies come back as JSON, nested by their names."""
    await populate([make_call("a", request_body=Raw(b'{"n": [1, {"x": null}]}'))])

    (event,) = (await ask("events"))["events"]

    assert event["request"]["body"] == {"n": [1, {"x": None}]}
    assert event["request"]["headers"] == {"user-agent": "stripe-python/5.0.1"}
    assert (event["request"]["route"], event["response"]["status"]) == ("/items/:id", 200)
    assert event["client"] == {"name": "stripe-python", "version": "5.0.1", "kind": "sdk"}
    assert event["response"]["body"] is None


async def test_the_largest_groups_are_named_and_the_rest_is_other(
    populate: Populate, ask: Ask
) -> None:
    """`top` groups by size, then one line for all others; nothing is lost."""
    calls = [
        make_call(f"{user}{n}", user_id=user)
        for user, count in (("big", 5), ("mid", 3), ("s1", 1), ("s2", 1))
        for n in range(count)
    ]
    await populate(calls)

    series = (await ask("timeseries", group_by=["user_id"], top=2, from_="-7d"))["series"]

    assert [(line["key"], line["total"]) for line in series] == [
        (["big"], 5),
        (["mid"], 3),
        (["other"], 2),
    ]


async def test_rates_are_unknown_where_nothing_happened(populate: Populate, ask: Ask) -> None:
    """No calls, no error rate: null, not zero; and the total is no sum of days."""
    await populate([make_call("a", status=500), *make_calls(3, time=NOON - timedelta(days=2))])

    spec = {"from_": "2026-11-18", "to": "2026-11-21", "interval": "day"}
    rate = (await ask("timeseries", measure="error_rate", **spec))["series"][0]
    users = (await ask("timeseries", measure="users", **spec))["series"][0]

    assert (rate["values"], rate["total"]) == ([0.0, None, 1.0], 0.25)
    assert (users["values"], users["total"]) == ([1, 0, 1], 1)


async def test_sums_means_and_quantiles(populate: Populate, ask: Ask) -> None:
    """Measures over fields are weighted."""
    await populate(
        [
            make_call("a", duration_ms=10, weight=3, request_body=Raw(b'{"amount": 5}')),
            make_call("b", duration_ms=50, request_body=Raw(b'{"amount": "7"}')),
        ]
    )

    async def total(measure: str) -> float:
        found = await ask("timeseries", measure=measure, from_="-7d")
        return float(found["series"][0]["total"])

    assert await total("sum:duration_ms") == 80
    assert await total("avg:duration_ms") == 20
    assert await total("p50_ms") == 10
    assert await total("p99_ms") == 50
    assert await total("sum:request.body.amount") == 22


async def test_users_meet_their_profiles(populate: Populate, ask: Ask) -> None:
    """Those who call and those who were only described are both users; search finds by e-mail."""
    await populate([make_call("a", user_id="ana", status=404), make_call("b"), _ana()])

    users = {user["user_id"]: user for user in (await ask("users"))["users"]}

    assert set(users) == {"ana", "user_1"}
    ana = users["ana"]
    assert (ana["name"], ana["email"], ana["company_id"]) == (
        "Ana Example",
        "ana@parcel.example",
        "parcel",
    )
    assert (ana["calls"], ana["errors"], users["user_1"]["name"]) == (1, 1, "")
    found = await ask("users", search="PARCEL.example", order_by="-calls")
    assert [user["user_id"] for user in found["users"]] == ["ana"]


async def test_companies_meet_their_profiles(populate: Populate, ask: Ask) -> None:
    """With the people who called for them; those that were only described are there too."""
    described = {"kind": "company", "company_id": "", "fields": {"metadata": {"name": "Lid Ltd"}}}
    update = msgspec.structs.replace(
        _ana(), id="lid", update_id="up_2",
        **{**described, "fields": Raw(msgspec.json.encode(described["fields"]))},
    )  # fmt: skip
    calls = [
        make_call("a", user_id="ana", company_id="acme", weight=3),
        make_call("b", user_id="bo", company_id="acme", status=500),
        make_call("c", user_id="", company_id="other"),
        make_call("d", user_id="cy", company_id=""),
    ]
    await populate([*calls, update])

    found = (await ask("companies", order_by="company_id"))["companies"]

    assert [(c["company_id"], c["users"], c["calls"], c["errors"]) for c in found] == [
        ("acme", 2, 4, 1),
        ("lid", 0, 0, 0),
        ("other", 0, 1, 0),
    ]
    assert (found[1]["name"], found[1]["last_seen_at"]) == ("Lid Ltd", None)
    by_name = await ask("companies", search="ltd")
    assert [company["company_id"] for company in by_name["companies"]] == ["lid"]
    good = {"field": "response.status", "value": 500}
    filtered = await ask("companies", filters=good)
    assert [company["company_id"] for company in filtered["companies"]] == ["acme"]
    pages: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await ask("companies", limit=1, order_by="-calls", cursor=cursor)
        pages += [company["company_id"] for company in page["companies"]]
        cursor = page["next_cursor"]
    assert pages == ["acme", "other", "lid"]


async def test_a_timeline_has_calls_and_changes(populate: Populate, ask: Ask) -> None:
    """Newest first, in one order, page by page; links among them."""
    await populate([_ana(), make_call("a", user_id="ana"), make_call("b")])
    whole = await ask("user_timeline", user_id="ana")
    told = [item for item in whole["items"] if item["kind"] != "link"]
    assert [item["kind"] for item in told] == ["call", "profile"]
    assert told[1]["fields"]["metadata.email"] == "ana@parcel.example"
    assert told[1]["said_of"] == "ana"
    assert {item["link"]["user_id"] for item in whole["items"] if item["link"]} == {"ana"}
    assert await _paged(ask, "user_timeline", user_id="ana") == whole["items"]


async def _paged(ask: Ask, kind: str, **spec: Any) -> list[Any]:
    found: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await ask(kind, limit=1, cursor=cursor, **spec)
        found += page["items"]
        cursor = page["next_cursor"]
    return found


async def test_a_company_has_a_timeline_of_all_its_people(populate: Populate, ask: Ask) -> None:
    """What they did, and what was said of the company itself; of one kind, if one is asked for."""
    said = ProfileUpdate(
        app_id="app_1", kind="company", id="acme", update_id="up_2", time=NOON, received_at=NOON,
        fields=Raw(b'{"metadata": {"plan": "gold"}}'),
    )  # fmt: skip
    await populate([
        said, _ana(), make_call("a", user_id="ana", company_id="acme"),
        make_call("b", user_id="bo", company_id="acme", time=NOON - timedelta(minutes=1)),
        make_call("c", user_id="cy", company_id="other"),
        make_action("d", user_id="bo", company_id="acme", time=NOON - timedelta(minutes=2)),
    ])  # fmt: skip
    whole = await ask("company_timeline", company_id="acme")
    assert {(item["kind"], item["id"]) for item in whole["items"]} == {
        ("profile", "up_2"), ("call", "a"), ("call", "b"), ("action", "d"),
        ("link", "link company acme ana"), ("link", "link company acme bo"),
    }  # fmt: skip
    assert await _paged(ask, "company_timeline", company_id="acme") == whole["items"]
    assert (whole["company_id"], whole["user_id"]) == ("acme", "")
    joined = ["link company acme ana", "link company acme bo"]
    of_kind = {"call": ["a", "b"], "action": ["d"], "profile": ["up_2"], "link": joined}
    for kind, ids in of_kind.items():
        only = await ask("company_timeline", company_id="acme", kinds=[kind])
        assert [item["id"] for item in only["items"]] == ids


async def test_an_answer_says_how_many_rows_were_read(populate: Populate, ask: Ask) -> None:
    """Those that the engine looked at, not those that it answered with."""
    await populate(make_calls(500))

    answer = await ask(
        "count", filters={"field": "request.uri", "op": "contains", "value": "nowhere"}
    )

    assert answer["count"] == 0
    assert answer["meta"]["rows_scanned"] >= 500


async def test_an_answer_says_how_complete_it_is(populate: Populate, ask: Ask) -> None:
    """Late and rejected items of the range are counted, and the SQL is shown without values."""
    reject = Reject(app_id="app_1", reject_id="r", received_at=NOON, kind="event", reason="no uri")
    await populate([make_call("a", time=NOON - timedelta(hours=1)), make_call("b"), reject])

    meta = (await ask("count", filters={"field": "user_id", "value": "user_1"}))["meta"]

    assert (meta["late_events"], meta["dropped_events"], meta["sampled"]) == (1, 1, False)
    assert meta["complete_until"].startswith("2026-11-20T12:00")
    assert meta["rows_scanned"] >= 2
    (sql,) = meta["sql"]
    assert "user_1" not in sql["query"]
    assert "user_1" in sql["values"].values()


async def test_a_wrong_question_is_told_where(ask: Ask) -> None:
    """The error names the place in the question."""
    for kind, spec, field in WRONG:
        with pytest.raises(InvalidInputError) as caught:
            await ask(kind, **spec)
        assert caught.value.field == field, (kind, spec)


async def test_a_pattern_that_is_none_is_the_askers_fault(populate: Populate, ask: Ask) -> None:
    """A broken regular expression is an error of the question, not of the server."""
    await populate([make_call("a")])

    with pytest.raises(InvalidInputError, match="regular expression"):
        await ask("count", filters={"field": "user_id", "op": "matches", "value": "("})


async def test_unknown_kinds_are_told_the_known_ones(ask: Ask) -> None:
    """The hint lists what can be asked."""
    with pytest.raises(NotFoundError) as caught:
        await ask("prophecy")

    assert "timeseries" in caught.value.hint
    assert NOW.tzinfo is not None


async def test_common_fields_are_known_to_every_report(ask: Ask) -> None:
    """A population is taken; a cohort is an error, not a silent everybody."""
    for kind in ("count", "events", "timeseries", "users"):
        assert await ask(kind, population="companies")
        with pytest.raises(NotFoundError) as caught:
            await ask(kind, cohort_id="coh_1")
        assert caught.value.field == "$.cohort_id"
