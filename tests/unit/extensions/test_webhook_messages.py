"""What a webhook says of users and companies, and what it never says."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from headwater.extensions.contract import Item
from headwater.extensions.people import People
from headwater.extensions.webhook import Webhook
from headwater.extensions.webhook.fields import COMPANY, USER
from headwater.extensions.windows import Window
from headwater.profiles import SPELLINGS, Agent, Company, Person
from headwater.workspace import App
from tests.support.rollups import make_rollup

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
AT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
WIRE = "2026-11-22T09:30:00.000Z"
WEBHOOK = Webhook()
WINDOW = Window(
    app=App(id="app_1", name="one", timezone="UTC", created_at=AT),
    connection_id="ext_1",
    target="t",
    now=NOW,
    upto=10,
    day="2026-11-22",
    after=0,
    after_day="",
)
ANN = Person(
    id="ann",
    doc={"metadata": {"plan": "gold", "seats": 3}},
    created_at=AT,
    modified_at=AT,
    first_seen_at=AT,
    last_seen_at=AT,
    first_success_at=AT,
    last_ip="192.0.2.1",
    changed_offset=7,
    name="Ann Ångström",
    lifecycle="active",
    email="ann@example.com",
    username="ann",
    phone="+46 8 123",
    photo_url="https://example.com/ann.png",
    company_id="acme",
    company_since=AT,
    last_user_agent="acme-sdk/1.2",
    agent=Agent(library="acme-sdk", library_version="1.2"),
    first_touch={"utm_source": "news"},
    last_touch={"utm_source": "ads", "utm_campaign": "spring"},
    location={"country": "SE"},
    locale="sv-SE",
    anonymous_ids=("anon-1",),
    session_keys=("never-to-be-seen",),
)
BO = Person(id="bo", doc={}, created_at=AT, modified_at=AT, changed_offset=8)
ACME = Company(
    id="acme",
    doc={"metadata": {"tier": 1}},
    created_at=AT,
    modified_at=AT,
    name="Acme",
    domain="acme.example",
    changed_offset=9,
)


def page(*users: Person, companies: tuple[Company, ...] = (), **window: Any) -> People:
    return People(
        window=msgspec.structs.replace(WINDOW, **window),
        users=users,
        companies={company.id: company for company in companies},
        days={user.id: make_rollup(date="2026-11-22", total_calls=5) for user in users},
        rolling={},
    )


def compose(people: People, **settings: Any) -> list[Item]:
    read = WEBHOOK.read_settings({"url": "https://tools.example.com/hook", **settings})
    return list(WEBHOOK.compose(read, people))


def said(item: Item) -> dict[str, Any]:
    assert item.payload is not None
    found: dict[str, Any] = json.loads(item.payload)
    return found


def test_a_user_is_told_whole() -> None:
    """Every field of the reference, and the numbers of the day."""
    (item,) = compose(page(ANN))
    message = said(item)
    day = message.pop("dailyAggregation")
    assert (day["date"], day["totalCalls"]) == ("2026-11-22", 5)
    assert message == {
        "type": "user.changed",
        "messageId": item.message_id,
        "timestamp": "2026-11-23T10:00:00.000Z",
        "userId": "ann",
        "user": {
            "id": "ann",
            "name": "Ann Ångström",
            "createdAt": WIRE,
            "modifiedAt": WIRE,
            "firstSeenAt": WIRE,
            "lastSeenAt": WIRE,
            "firstSuccessAt": WIRE,
            "ttfhw_s": 0,
            "lifecycle": "active",
            "lastIp": "192.0.2.1",
            "metadata": {"plan": "gold", "seats": 3},
            "email": "ann@example.com",
            "username": "ann",
            "phone": "+46 8 123",
            "photoUrl": "https://example.com/ann.png",
            "companyId": "acme",
            "companySince": WIRE,
            "lastUserAgent": "acme-sdk/1.2",
            "agent": {"library": "acme-sdk", "libraryVersion": "1.2"},
            "firstTouch": {"utmSource": "news"},
            "lastTouch": {"utmSource": "ads", "utmCampaign": "spring"},
            "location": {"country": "SE"},
            "locale": "sv-SE",
            "anonymousIds": ["anon-1"],
        },
    }
    assert set(message["user"]) == set(USER)


def test_what_is_not_known_is_absent() -> None:
    """Never null, never empty."""
    (item,) = compose(page(BO))
    assert said(item)["user"] == {"id": "bo", "createdAt": WIRE, "modifiedAt": WIRE}


def test_companies_are_told_when_asked_for() -> None:
    """Instead of users, or after them."""
    people = page(ANN, companies=(ACME,))
    assert [said(item)["type"] for item in compose(people)] == ["user.changed"]
    both = compose(people, subjects="both")
    assert [said(item)["type"] for item in both] == ["user.changed", "company.changed"]
    (item,) = compose(people, subjects="companies")
    message = said(item)
    assert (message["companyId"], message["messageId"]) == ("acme", item.message_id)
    assert message["company"] == {
        "id": "acme",
        "name": "Acme",
        "domain": "acme.example",
        "createdAt": WIRE,
        "modifiedAt": WIRE,
        "metadata": {"tier": 1},
    }
    assert set(message["company"]) <= set(COMPANY)


@pytest.mark.parametrize("field", sorted({*USER} - {"id"}))
def test_a_field_left_out_is_nowhere(field: str) -> None:
    """Whichever it is; all others stay, but for what is made of it."""
    (item,) = compose(page(ANN), without=[field])
    made_of_it = {"agent"} if field == "lastUserAgent" else set()
    assert set(said(item)["user"]) == set(USER) - {field} - made_of_it


@pytest.mark.parametrize(
    ("field", "number"),
    [("lastUserAgent", "clients"), ("firstSeenAt", "firstCallAt"), ("lastSeenAt", "lastCallAt")],
)
def test_a_field_left_out_is_not_in_the_numbers_either(field: str, number: str) -> None:
    """What the day would tell of it is absent; the rest of the day stays."""
    people = page(ANN)
    day = make_rollup(date="2026-11-22", first_call_at=WIRE, last_call_at=WIRE)
    told = {
        without: said(compose(msgspec.structs.replace(people, days={"ann": day}), **chosen)[0])
        for without, chosen in (("", {}), (field, {"without": [field]}))
    }
    assert set(told[""]["dailyAggregation"]) - set(told[field]["dailyAggregation"]) == {number}


def test_one_word_of_the_metadata_can_be_left_out() -> None:
    """The rest of the metadata stays; of users and companies alike."""
    items = compose(page(ANN, companies=(ACME,)), subjects="both", without=["metadata.plan"])
    assert said(items[0])["user"]["metadata"] == {"seats": 3}
    assert said(items[1])["company"]["metadata"] == {"tier": 1}


@pytest.mark.parametrize(
    ("field", "names"), [(field, names) for field, names in SPELLINGS.items() if field != "domain"]
)
def test_what_is_left_out_is_not_in_the_metadata_either(field: str, names: tuple[str, ...]) -> None:
    """That is where clients put it, under several names."""
    doc = {"metadata": {"plan": "gold", **{name: f"secret {name}" for name in names}}}
    wire = {"photo_url": "photoUrl"}.get(field, field)
    (item,) = compose(page(msgspec.structs.replace(BO, doc=doc)), without=[wire])
    assert said(item)["user"]["metadata"] == {"plan": "gold"}
    (whole,) = compose(page(msgspec.structs.replace(BO, doc=doc)))
    assert all(f"secret {name}" in said(whole)["user"]["metadata"].values() for name in names)


def test_keys_of_sessions_are_never_told() -> None:
    """They are for us to recognise, and for nobody else."""
    (item,) = compose(page(ANN))
    assert b"never-to-be-seen" not in (item.payload or b"")


def ids(*args: Any, **settings: Any) -> list[str]:
    return [item.message_id for item in compose(*args, **settings)]


def test_the_same_state_has_the_same_id() -> None:
    """Whenever it is composed; a change makes another, and so does another target."""
    everybody = {"companies": (ACME,)}
    first = ids(page(ANN, **everybody), subjects="both")
    assert ids(page(ANN, **everybody, now=AT), subjects="both") == first
    changed = msgspec.structs.replace(ANN, changed_offset=9)
    assert ids(page(changed), subjects="users")[0] not in first
    assert not set(ids(page(ANN, **everybody, target="u"), subjects="both")) & set(first)


def test_a_day_that_ends_changes_only_what_has_numbers() -> None:
    """Users with numbers are due again; users without, and companies, are not."""
    people = {"companies": (ACME,)}
    before, after = page(ANN, **people), page(ANN, **people, day="2026-11-23")
    assert ids(before) != ids(after)
    assert ids(before, numbers=False) == ids(after, numbers=False)
    assert ids(before, subjects="companies") == ids(after, subjects="companies")


def test_without_numbers_none_are_asked_for() -> None:
    """Nor for companies alone: they cost."""
    url = {"url": "https://tools.example.com/hook"}
    wanted = [
        WEBHOOK.wanted(WEBHOOK.read_settings({**url, **more})).day
        for more in ({}, {"numbers": False}, {"subjects": "companies"}, {"subjects": "both"})
    ]
    assert wanted == [True, False, False, True]
    (item,) = compose(page(ANN), numbers=False)
    assert "dailyAggregation" not in said(item)


def test_too_much_metadata_is_left_out_and_said_so() -> None:
    """Rather than the whole message."""
    bulky = msgspec.structs.replace(ANN, doc={"metadata": {"notes": "x" * 300_000}})
    (item,) = compose(page(bulky))
    message = said(item)
    assert message["trimmed"] == ["user.metadata"]
    assert "metadata" not in message["user"]
    assert message["user"]["email"] == "ann@example.com"


def test_what_is_too_large_even_then_is_not_sent() -> None:
    """It is listed as dead instead."""
    (item,) = compose(page(msgspec.structs.replace(ANN, name="x" * 300_000)))
    assert item.payload is None
