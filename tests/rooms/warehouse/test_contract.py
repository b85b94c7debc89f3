"""One contract for all warehouses: the same messages, the same rows, in each engine for real."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from headwater.warehouse.engines import Limits
from headwater.warehouse.erase import Erased, erase_from
from headwater.warehouse.tables import Notice
from headwater.warehouse.types import Kind
from tests.rooms.warehouse import worked_example as example
from tests.rooms.warehouse.places import Json, ParquetPlace, Place, Places, open_places
from tests.rooms.warehouse.support import LOADED_AT, a_message, an_identify

TYPES = ("duckdb", "postgres", "clickhouse", "filesystem")
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module", params=TYPES)
def places(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Places]:
    """One running engine."""
    with open_places(request.param, tmp_path_factory.mktemp(request.param)) as opened:
        yield opened


@pytest.fixture
def place(places: Places) -> Place:
    """A schema that is not there yet."""
    return places.new()


def test_the_worked_example(place: Place) -> None:
    """One identify: 35 columns of `identifies`, 31 of `users`, each value and type."""
    place.load(example.MESSAGE, loaded_at=example.LOADED)
    assert (len(example.IDENTIFIES), len(example.USERS)) == (35, 31)
    for table, columns in (("identifies", example.IDENTIFIES), ("users", example.USERS)):
        assert place.kinds(table) == {name: kind for name, (kind, _) in columns.items()}
        assert place.table(table) == [{name: value for name, (_, value) in columns.items()}]


def test_the_other_generation_of_the_worked_example(place: Place) -> None:
    """`company` as a bare id, the next day: a column beside those of the object, which stay."""
    place.load(example.MESSAGE, loaded_at=example.LOADED)
    next_day = example.RECEIVED + 24 * HOUR
    place.load(
        an_identify("later", "12345", next_day, company="67890", name=None),
        loaded_at=example.LOADED + 24 * HOUR,
    )
    (user,) = place.table("users")
    assert (user["company"], user["company_id"], user["name"]) == ("67890", "67890", "Ada Byron")
    assert (user["company_metadata_seats"], user["received_at"]) == (40, next_day)
    later = next(row for row in place.table("identifies") if row["id"] == "later")
    assert (later["company"], later["company_id"]) == ("67890", None)
    assert set(place.kinds("users")) == {*example.USERS, "company"}


def test_loading_again_changes_nothing(place: Place) -> None:
    """The same message at the same instant, or later, or with others, is one row in each table."""
    for hours in (0, 0, 1):
        place.load(example.MESSAGE, loaded_at=example.LOADED + hours * HOUR)
    other = an_identify("other", "bob", LOADED_AT, name="Bob")
    place.load(example.MESSAGE, other, loaded_at=example.LOADED + 2 * HOUR)
    assert [row["id"] for row in place.table("identifies")] == [example.MESSAGE_ID, "other"]
    assert [(row["id"], row["name"]) for row in place.table("users")] == [
        ("12345", "Ada Byron"),
        ("bob", "Bob"),
    ]


def test_names_are_snake_case(place: Place) -> None:
    """As Segment names them: runs of capitals stay with what follows, digits need no escape."""
    keys = {
        "APIKey": "apikey", "last24HourAggResults": "last24_hour_agg_results",
        "HTTPStatus200Count": "httpstatus200_count", "2xx": "2xx", "samPLE text": "sam_ple_text",
        "iPhoneOS": "i_phone_os", "_order": "order", "select": "select", "Größe": "gr_e",
        "loginCount2": "login_count2", "utm-source": "utm_source", "a.b": "a_b",
    }  # fmt: skip
    nested = {"byStatus": {"2xx": "x"}, "byUser": {"userID": "x", "userId": "x"}}
    flat = dict.fromkeys(keys, "x")
    dropped = {"userID": "no", "_timestamp": "no", "§": "no"}
    filled = place.load(an_identify("m", "ann", LOADED_AT, **flat, **nested, **dropped))
    columns = {*keys.values(), "by_status_2xx", "by_user_user_id"}
    for table in ("identifies", "users"):
        (row,) = place.table(table)
        assert {name for name, value in row.items() if value == "x"} == columns
        assert "no" not in row.values()
    assert Notice("reserved_column", "identifies", "user_id") in filled.notices
    assert Notice("reserved_column", "identifies", "timestamp") in filled.notices


def test_objects_become_columns_and_lists_text(place: Place) -> None:
    """To any depth; null and empty make nothing, reserved names are dropped and counted."""
    traits = {
        "a": {"b": {"c": {"d": 1}}}, "list": [1, {"x": [2]}], "none": None, "empty": {}, "id": "no",
        "received_at": "no", "event": "no", "context_ip": "kept when the context has none",
    }  # fmt: skip
    filled = place.load(an_identify("m", "ann", LOADED_AT, **traits))
    (row,) = place.table("identifies")
    assert (row["a_b_c_d"], row["list"], row["id"]) == (1, '[1,{"x":[2]}]', "m")
    assert not {"none", "empty", "event"} & set(row)
    assert sum(n for notice, n in filled.notices.items() if notice.code == "reserved_column") == 3


def test_reserved_names_are_the_messages_own(place: Place) -> None:
    """All of Segment's, in whatever spelling, and what the context has; each is counted."""
    spelt = {
        "id", "anonymousId", "userID", "received_at", "sentAt", "timestamp", "originalTimestamp",
        "uuid", "uuid_ts", "loadedAt", "event", "eventText", "context_ip", "contextPage_path",
    }  # fmt: skip
    body: Json = {
        "type": "group", "messageId": "g", "userId": "ann", "groupId": "acme",
        "context": {"ip": "203.0.113.7", "page": {"path": "/"}},
        "traits": {**dict.fromkeys(spelt, "no"), "group_id": "no", "plan": "pro"},
    }  # fmt: skip
    filled = place.load(a_message(body))
    for table in ("groups", "accounts"):
        (row,) = place.table(table)
        assert (row["context_ip"], row["context_page_path"]) == ("203.0.113.7", "/")
        assert row["plan"] == "pro"
        assert "no" not in row.values()
    (group,) = place.table("groups")
    assert (group["id"], group["user_id"], group["group_id"]) == ("g", "ann", "acme")
    assert not {"uuid", "loaded_at", "event", "event_text", "sent_at"} & set(group)
    assert filled.notices.total() == len(spelt) + 1
    assert {notice.code for notice in filled.notices} == {"reserved_column"}


def test_the_first_values_make_the_type(place: Place) -> None:
    """Of a mixed batch the one that holds all; only whole ISO dates are times, digits never."""
    values = {
        "n": (1, 2.5), "mixed": (1, "a"), "flag": (True, False), "odd": (True, 1),
        "day": ("2024-01-02", "2024-01-02T03:04:05+02:00"), "year": ("2024", "20240102"),
        "soon": ("2024-01-02", "soon"), "large": (2**63, 1),
    }  # fmt: skip
    columns = [{key: pair[n] for key, pair in values.items()} for n in (0, 1)]
    place.load(*(an_identify(f"m{n}", "ann", LOADED_AT, **columns[n]) for n in (0, 1)))
    kinds = place.kinds("identifies")
    assert {name: kinds[name] for name in values} == {
        "n": Kind.FLOAT, "mixed": Kind.VARCHAR, "flag": Kind.BOOLEAN, "odd": Kind.VARCHAR,
        "day": Kind.TIMESTAMP, "year": Kind.VARCHAR, "soon": Kind.VARCHAR, "large": Kind.FLOAT,
    }  # fmt: skip
    first, second = place.table("identifies")
    assert (first["n"], first["mixed"], second["odd"], first["soon"]) == (
        1.0,
        "1",
        "1",
        "2024-01-02",
    )
    assert (first["odd"], first["large"]) == ("true", 2.0**63)
    assert (first["day"], second["day"]) == (
        datetime(2024, 1, 2, tzinfo=UTC),
        datetime(2024, 1, 2, 1, 4, 5, tzinfo=UTC),
    )


def test_two_keys_of_one_name(place: Place) -> None:
    """The last in the document stands, and it is noted."""
    traits = {"userName": "first", "user_name": "last"}
    filled = place.load(an_identify("m", "ann", LOADED_AT, **traits))
    assert place.table("identifies")[0]["user_name"] == "last"
    assert filled.notices == {Notice("same_column", "identifies", "user_name"): 1}


def test_every_kind_of_call_has_its_tables(place: Place) -> None:
    """Tracks and the event's own, pages, screens, groups and accounts, aliases."""
    both = {"userId": "u", "anonymousId": "a"}
    event: Json = {
        "event": "API Called",
        "properties": {"id": "p1", "status_code": 200, "latencyMS": 12.5, "Tags": ["a"]},
    }
    named: Json = {"name": "Docs", "category": "Help", "properties": {"path": "/docs"}}
    bodies: list[Json] = [
        {"type": "track", "messageId": "1", **both, **event},
        {"type": "track", "messageId": "2", **both, "event": "Users", "properties": {"x": 1}},
        {"type": "page", "messageId": "3", **both, **named},
        {"type": "screen", "messageId": "4", **both, **named},
        {"type": "group", "messageId": "5", **both, "groupId": "67890", "traits": {"plan": "pro"}},
        {"type": "alias", "messageId": "6", "userId": "u", "previousId": "a"},
    ]
    place.load(*(a_message(body) for body in bodies))
    with place.open() as engine:
        assert set(engine.list_tables()) == {
            "tracks", "api_called", "_users", "pages", "screens", "groups", "accounts", "aliases",
        }  # fmt: skip
    tracks = {row["id"]: (row["event"], row["event_text"]) for row in place.table("tracks")}
    assert tracks == {"1": ("api_called", "API Called"), "2": ("_users", "Users")}
    (called,) = place.table("api_called")
    assert (called["id"], called["status_code"], called["tags"]) == ("1", 200, '["a"]')
    assert (called["latency_ms"], place.kinds("api_called")["latency_ms"]) == (12.5, Kind.FLOAT)
    for table in ("pages", "screens"):
        (row,) = place.table(table)
        assert (row["name"], row["category"], row["path"]) == ("Docs", "Help", "/docs")
    (account,) = place.table("accounts")
    assert (account["id"], account["plan"]) == ("67890", "pro")
    assert not {"user_id", "anonymous_id", "group_id"} & set(account)
    (alias,) = place.table("aliases")
    assert (alias["user_id"], alias["previous_id"]) == ("u", "a")


def test_users_keep_the_newest_that_is_not_null(place: Place) -> None:
    """By corrected time, then arrival, then id; a late retry only fills what is unknown."""
    place.load(an_identify("new", "ann", LOADED_AT, plan="pro", seats=3))
    late = an_identify("old", "ann", LOADED_AT - 24 * HOUR, plan="free", city="Bonn", seats=None)
    place.load(late, an_identify("b", "bob", LOADED_AT, plan="free"), loaded_at=LOADED_AT + HOUR)
    body = {"type": "identify", "messageId": "skewed", "userId": "ann", "traits": {"plan": "old"}}
    skewed = a_message(body, received_at=LOADED_AT + HOUR, timestamp=LOADED_AT - HOUR)
    place.load(skewed, loaded_at=LOADED_AT + 2 * HOUR)
    ann, bob = place.table("users")
    assert (ann["plan"], ann["city"], ann["seats"]) == ("pro", "Bonn", 3)
    assert (ann["received_at"], ann["uuid_ts"]) == (LOADED_AT, LOADED_AT + 2 * HOUR)
    assert (bob["id"], bob["plan"], bob["city"]) == ("bob", "free", None)


def test_ties_go_to_the_greater_id(place: Place) -> None:
    """At the same instant, whatever the order of loading; ids compare bytewise."""
    place.load(an_identify("b", "ann", LOADED_AT, plan="small b"))
    place.load(an_identify("B", "ann", LOADED_AT, plan="capital B"), loaded_at=LOADED_AT + HOUR)
    assert place.table("users")[0]["plan"] == "small b"


def test_visitors_without_a_name_are_no_users(place: Place) -> None:
    """They are in `identifies`; their traits make no column of `users`."""
    visit = {"type": "identify", "messageId": "1", "anonymousId": "a", "traits": {"plan": "x"}}
    place.load(a_message(visit))
    assert place.kinds("users") == {}
    place.load(an_identify("2", "ann", LOADED_AT, city="Bonn"), loaded_at=LOADED_AT + HOUR)
    (user,) = place.table("users")
    assert (user["id"], "plan" in user, "anonymous_id" in user) == ("ann", False, False)


def test_integers_become_floats(place: Place) -> None:
    """The first fraction widens the column of both tables, and no value is rounded."""
    for n, score in enumerate((1, 1.5, 2)):
        at = LOADED_AT + n * HOUR
        place.load(an_identify(f"m{n}", "ann", at, score=score), loaded_at=at)
    assert [row["score"] for row in place.table("identifies")] == [1.0, 1.5, 2.0]
    assert place.kinds("identifies")["score"] is place.kinds("users")["score"] is Kind.FLOAT
    assert [row["score"] for row in place.table("users")] == [2.0]


def test_what_does_not_fit_is_in_discards(place: Place) -> None:
    """Once, however often it is loaded; the row itself is in."""
    others = {"rate": 0.5, "on": True, "day": "2024-01-02"}
    place.load(an_identify("m1", "ann", LOADED_AT, seats=40, **others))
    for hours in (1, 1, 2):
        message = an_identify("m2", "ann", LOADED_AT, seats="forty", name="Ann")
        filled = place.load(message, loaded_at=LOADED_AT + hours * HOUR)
        assert filled.notices == {Notice("discarded", "identifies", "seats"): 1}
    assert place.table("_discards") == [
        {
            "table_name": "identifies", "row_id": "m2", "column_name": "seats",
            "column_value": "forty", "reason": "the column is of type integer",
            "received_at": LOADED_AT, "uuid_ts": LOADED_AT + 2 * HOUR,
        }
    ]  # fmt: skip
    assert [row["seats"] for row in place.table("users")] == [40]
    assert [row["name"] for row in place.table("users")] == ["Ann"]
    wrong = an_identify("m3", "bob", LOADED_AT, rate="x", on=1, day="soon", name=7)
    place.load(wrong, loaded_at=LOADED_AT + 3 * HOUR)
    lost = {one["column_name"]: one["column_value"] for one in place.table("_discards")}
    assert lost == {"seats": "forty", "rate": "x", "on": "1", "day": "soon"}
    bob = next(row for row in place.table("users") if row["id"] == "bob")
    assert (bob["name"], {bob[name] for name in others}) == ("7", {None})


def test_a_full_table_takes_no_new_column(place: Place) -> None:
    """Values that have no column any more are in `_discards`; known columns go on."""
    room = Limits(columns=8)
    place.load(an_identify("m1", "ann", LOADED_AT, a=1, b=2), limits=room)
    known = set(place.kinds("identifies"))
    place.load(an_identify("m2", "ann", LOADED_AT, a=5, c=3, d=4, e=5), limits=room)
    assert len(place.kinds("identifies")) == 8
    assert known < set(place.kinds("identifies"))
    assert [row["a"] for row in place.table("identifies")] == [1, 5]
    lost = place.table("_discards")
    kept = set(place.kinds("identifies"))
    assert {row["column_name"] for row in lost} == {"c", "d", "e"} - kept
    assert {row["reason"] for row in lost} == {"the table has as many columns as it may, 8"}


def test_long_names_are_cut_and_told_apart(place: Place) -> None:
    """Within the database's limit, with a hash of the whole; tables too."""
    long = "a" * 200
    body = {"type": "track", "messageId": "1", "userId": "u", "event": f"{long} one"}
    second = {**body, "messageId": "2", "event": f"{long} two", "properties": {"x": 1}}
    traits = {f"{long}_one": 1, f"{long}_two": 2}
    place.load(a_message(body), a_message(second), an_identify("3", "ann", LOADED_AT, **traits))
    (row,) = place.table("identifies")
    cut = sorted(name for name in row if name.startswith("aaa"))
    assert sorted(row[name] for name in cut) == [1, 2]
    assert {len(name) for name in cut} == {place.limits.identifier_bytes}
    with place.open() as engine:
        events = [name for name in engine.list_tables() if name.startswith("aaa")]
    assert len(events) == 2
    assert place.table("users")[0][cut[0]] == row[cut[0]]


def test_values_survive_as_they_are(place: Place) -> None:
    """Quotes, line ends, emoji, separators of CSV, numbers at their limits, very long texts."""
    texts = ["", " ", '"', "'", "\\", ",", "\n", "\r\n", "\\N", "NULL", "🐣", "x" * 100_000, "\t"]
    values = {f"t{n}": text for n, text in enumerate(texts)}
    numbers = {"most": 2**63 - 1, "least": -(2**63), "tiny": 5e-324, "huge": 1.7e308, "yes": True}
    place.load(an_identify("m", "ann", LOADED_AT, **values, **numbers))
    for table in ("identifies", "users"):
        (row,) = place.table(table)
        assert {name: row[name] for name in values} == values
        assert {name: row[name] for name in numbers} == numbers


def test_times_at_the_edges(place: Place) -> None:
    """What the database can hold is held to the microsecond; what not is in `_discards`."""
    times = {"zero": "0001-01-01T00:00:00Z", "last": "9999-12-31T23:59:59.999999Z"}
    place.load(an_identify("m", "ann", LOADED_AT, day="1969-12-31", **times))
    (row,) = place.table("identifies")
    assert row["day"] == datetime(1969, 12, 31, tzinfo=UTC)
    if place.limits.earliest.year > 1:
        assert {one["column_name"] for one in place.table("_discards")} == set(times)
    else:
        assert row["zero"] == datetime(1, 1, 1, tzinfo=UTC)
        assert row["last"].microsecond == 999_999


def test_what_people_did_by_hand_is_respected(place: Place) -> None:
    """A dropped column comes back, a dropped table too; a column declared as text takes all."""
    if isinstance(place, ParquetPlace):
        pytest.skip("files have no columns to drop")
    place.load(an_identify("m1", "ann", LOADED_AT, plan="a", code=7))
    place.run("ALTER TABLE {s}.identifies DROP COLUMN plan")
    place.run(f"ALTER TABLE {{s}}.identifies {place.to_text.format(column='code')}")
    place.run("DROP TABLE {s}.users")
    second = an_identify("m2", "ann", LOADED_AT + HOUR, plan="b", code=[8])
    place.load(second, loaded_at=LOADED_AT + HOUR)
    rows = [(row["plan"], row["code"]) for row in place.table("identifies")]
    assert rows == [(None, "7"), ("b", "[8]")]
    assert [(row["plan"], row["code"]) for row in place.table("users")] == [("b", "[8]")]


def test_users_are_forgotten_everywhere(place: Place) -> None:
    """Calls, aliases, states and discards of these users; nobody else's, and no team's view."""
    place.load(an_identify("0", "ann", LOADED_AT, seats=1))
    track = {"type": "track", "messageId": "2", "userId": "ann", "event": "E"}
    alias = {"type": "alias", "messageId": "4", "userId": "new", "previousId": "ann"}
    place.load(
        an_identify("1", "ann", LOADED_AT, seats="many"),
        a_message(track),
        an_identify("3", "bob's", LOADED_AT, seats="few"),
        a_message(alias),
        loaded_at=LOADED_AT + HOUR,
    )
    if not isinstance(place, ParquetPlace):
        place.run("CREATE VIEW {s}.mine AS SELECT user_id FROM {s}.identifies")
    with place.open() as engine:
        erased = erase_from(engine, ["ann", "nobody"])
        again = erase_from(engine, ["ann"])
    assert erased == Erased(
        {"identifies": 2, "users": 1, "tracks": 1, "e": 1, "aliases": 1, "_discards": 1}
    )
    assert again == Erased()
    assert [row["id"] for row in place.table("identifies")] == ["3"]
    assert [row["id"] for row in place.table("users")] == ["bob's"]
    assert [row["row_id"] for row in place.table("_discards")] == ["3"]
