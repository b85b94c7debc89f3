"""What people leave out is in no message, whatever it is called; what they rename is renamed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.base.errors import InvalidInputError
from headwater.extensions.people import People
from headwater.extensions.segment.choice import CAN_BE_LEFT_OUT, TRAITS
from headwater.extensions.segment.extension import Segment
from headwater.extensions.segment.milestones import DORMANT, FIRST_SUCCESS
from headwater.extensions.segment.settings import SegmentSettings
from headwater.extensions.segment.trim import MOST_BYTES
from headwater.extensions.windows import Window
from headwater.model import ClientCount
from headwater.profiles import Agent, Company, Person, Silence
from headwater.workspace import App
from tests.support.people import person_of
from tests.support.rollups import make_rollup

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
BEFORE = NOW - timedelta(days=2)
SECRETS = {
    "name": ("Planted Name", "Planted First", "Planted Last", "Planted Works"),
    "email": ("planted@mail.example",),
    "username": ("planted_user", "planted_user_name"),
    "phone": ("+49 30 0000", "+49 30 1111"),
    "photoUrl": ("https://planted.example/photo", "https://planted.example/avatar"),
    "companyDomain": ("planted-domain.example", "planted-other.example"),
    "ip": ("203.0.113.77", "203.0.113.78", "203.0.113.79"),
    "userAgent": (
        "planted-agent/1",
        "planted-agent/2",
        "planted-client",
        "planted-os",
        "9.9.9",
        "planted-device",
    ),
    "firstSeenTime": ("2026-11-21T01:01:01", "planted first call"),
    "lastSeenTime": ("2026-11-22T02:02:02", "planted last call", "2026-11-22T03:03:03"),
    "locale": ("pl-ANTED",),
    "location": ("Planted City",),
    "metadata.plan": ("planted-plan",),
    "campaign": ("planted-newsletter",),
    "company": ("planted-acme", "Planted Works", "planted-acme-of-metadata"),
    "createdAt": ("2026-11-20T04:04:04",),
    "modifiedTime": ("2026-11-20T05:05:05", "2026-11-20T06:06:06"),
    "dailyAggregation": ("717171",),
    "last24HourAggResults": ("818181",),
    "metadata": ("planted-plan", "planted-deep", "planted-of-the-company"),
    "metadata.deep.list.secret": ("planted-deep",),
}  # fmt: skip
"""What can be left out, and every value that says it below."""
_WHO: dict[str, Any] = {
    "name": "Planted Name", "first_name": "Planted First", "last_name": "Planted Last",
    "email": "planted@mail.example", "username": "planted_user", "user_name": "planted_user_name",
    "phone": "+49 30 0000", "phone_number": "+49 30 1111", "locale": "pl-ANTED",
    "photo": "https://planted.example/photo", "avatar_url": "https://planted.example/avatar",
    "location": {"city": "Planted City"}, "ip_address": "203.0.113.78",
    "user_agent_string": "planted-agent/2", "plan": "planted-plan",
    "Company-Id": "planted-acme-of-metadata",
    "deep": [{"list": [{"Secret": "planted-deep", "open": 1}]}],
}  # fmt: skip
ANN = person_of(
    id="ann",
    doc={
        "metadata": {**_WHO, "contacts": [{"email": "planted@mail.example", "role": "owner"}]},
        "campaign": {"utm_source": "planted-newsletter"},
    },
    created_at=datetime(2026, 11, 20, 4, 4, 4, tzinfo=UTC),
    modified_at=datetime(2026, 11, 20, 5, 5, 5, tzinfo=UTC),
    first_seen_at=datetime(2026, 11, 21, 1, 1, 1, tzinfo=UTC),
    last_seen_at=datetime(2026, 11, 22, 2, 2, 2, tzinfo=UTC),
    first_success_at=datetime(2026, 11, 20, 5, 4, 4, tzinfo=UTC),
    silence=Silence(
        since=datetime(2026, 11, 22, 3, 3, 3, tzinfo=UTC), dormant_at=BEFORE, ended_at=None
    ),
    last_ip="203.0.113.77",
    last_user_agent="planted-agent/1",
    agent=Agent(os="planted-os", os_version="9.9.9", device="planted-device"),
    company_id="planted-acme",
    changed_offset=7,
)
ACME = Company(
    id="planted-acme",
    doc={
        "company_domain": "planted-domain.example",
        "ip_address": "203.0.113.79",
        "metadata": {
            "company_name": "Planted Works",
            "domain": "planted-other.example",
            "plan": "planted-plan",
            "tier": "planted-of-the-company",
        },
    },
    created_at=BEFORE,
    modified_at=datetime(2026, 11, 20, 6, 6, 6, tzinfo=UTC),
    first_seen_at=BEFORE,
    last_seen_at=NOW,
    last_ip="203.0.113.79",
    name="Planted Works",
    domain="planted-domain.example",
    changed_offset=9,
)
APP = App(id="app_1", name="one", timezone="UTC", created_at=BEFORE)
EVERYTHING = {"groups": True, "milestones": [FIRST_SUCCESS, DORMANT]}


def page(*users: Person, salt: str = "") -> People:
    window = Window(
        app=APP, connection_id="ext_1", target="t", now=NOW, upto=100, day="2026-11-22",
        after=0, after_day="", salt=salt,
    )  # fmt: skip
    rollup = make_rollup(
        date="2026-11-22",
        total_calls=717171,
        clients=(ClientCount(name="planted-client", version="1", calls=1),),
        first_call_at="planted first call",
        last_call_at="planted last call",
    )
    days = dict.fromkeys((user.id for user in users), rollup)
    rolling = {
        id_: msgspec.structs.replace(numbers, total_calls=818181) for id_, numbers in days.items()
    }
    return People(window=window, users=users, companies={ACME.id: ACME}, days=days, rolling=rolling)


def sent(people: People, **chosen: Any) -> list[dict[str, Any]]:
    extension = Segment()
    settings = extension.read_settings(chosen)
    items = extension.compose(settings, people)
    return [msgspec.json.decode(item.payload or b"") for item in items]


@given(
    st.sets(st.sampled_from(sorted(SECRETS))),
    st.dictionaries(st.sampled_from(TRAITS), st.from_regex("new_[a-z]{1,4}", fullmatch=True)),
    st.sampled_from(["2019", "current"]),
    st.sampled_from([0, 20_000, 40_000]),
)
def test_what_is_left_out_is_in_no_message(
    without: set[str], renamed: dict[str, str], version: str, more_bytes: int
) -> None:
    """Neither in traits, context nor properties, nor in metadata; renamed, trimmed or not."""
    news = dict(zip(renamed.values(), renamed, strict=False))
    metadata = ANN.doc["metadata"] | {"more": "\u00e9" * (more_bytes // 2)}
    ann = msgspec.structs.replace(ANN, doc={**ANN.doc, "metadata": metadata})
    messages = sent(
        page(ann),
        without=sorted(without),
        rename=[f"{old}={new}" for new, old in news.items()],
        payload_version=version,
        **EVERYTHING,
    )
    text = msgspec.json.encode(messages).decode()
    for name in without:
        for value in SECRETS[name]:
            assert value not in text, (name, value)
    assert not set(news.values()) & set(messages[0]["traits"])
    assert all(len(msgspec.json.encode(message)) <= MOST_BYTES for message in messages)
    small = more_bytes < 40_000 or version == "2019" or "metadata" in without
    assert small or "trimmed" in messages[0]["context"]


def test_all_that_can_be_left_out_is_sent_otherwise() -> None:
    """The check above would see it: each value is in some message when nothing is left out."""
    text = msgspec.json.encode(sent(page(ANN), **EVERYTHING)).decode()
    missing = [value for values in SECRETS.values() for value in values if value not in text]
    assert not missing
    assert {name for name in SECRETS if not name.startswith("metadata.")} == set(CAN_BE_LEFT_OUT)


def test_metadata_keeps_what_was_not_left_out() -> None:
    """A list of contacts loses the addresses, not the contacts."""
    (message,) = sent(page(ANN), without=["email", "metadata.plan"])
    metadata = message["traits"]["metadata"]
    assert metadata["contacts"] == [{"role": "owner"}]
    assert "plan" not in metadata
    assert metadata["phone"] == "+49 30 0000"


def test_names_inside_metadata_are_found_however_they_are_written() -> None:
    """In any case, with any separator, below any level; a path goes down level by level."""
    metadata = {
        "Email": "a@mail.example", "emailAddress": "b@mail.example", "FirstName": "Ann",
        "utm_source": "x", "owner": {"card": {"last4": "1234", "kind": "visa"}}, "a.b": 1,
    }  # fmt: skip
    person = msgspec.structs.replace(ANN, doc={"metadata": metadata}, last_touch={})
    chosen = ["email", "name", "campaign", "metadata.owner.card.last4", "metadata.a.b"]
    (message,) = sent(page(person), without=chosen)
    assert message["traits"]["metadata"] == {"owner": {"card": {"kind": "visa"}}}


def test_a_company_whose_users_are_not_sent_is_not_sent() -> None:
    """Conditions can leave a page without any user of a company that it holds."""
    nobodys = msgspec.structs.replace(ANN, company_id="")
    found = sent(page(nobodys), groups=True)
    assert [message["type"] for message in found] == ["identify"]


def test_a_company_left_out_is_not_a_group_either() -> None:
    """Its id alone would tell it."""
    found = sent(page(ANN), without=["company"], **EVERYTHING)
    assert [message["type"] for message in found] == ["identify", "track", "track"]
    assert "acme" not in str(found)


def test_traits_go_by_the_names_that_were_chosen() -> None:
    """Two can change places; a message that is too large is trimmed all the same."""
    (message,) = sent(page(ANN), rename=["email=username", "username=email"])
    assert message["traits"]["username"] == "planted@mail.example"
    (_, group) = sent(page(ANN), rename=["name=created"], groups=True)
    assert group["traits"]["name"] == "Planted Works"
    heavy = msgspec.structs.replace(ANN, doc={"metadata": {"note": "x" * 40_000}})
    (message,) = sent(page(heavy), rename=["metadata=facts", "dailyAggregation=day"])
    assert "facts" not in message["traits"]
    assert "date" in message["traits"]["day"]
    assert message["context"]["trimmed"][-1] == "metadata"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("without", ["e-mail"]),
        ("without", ["id"]),
        ("without", ["metadata."]),
        ("rename", ["email"]),
        ("rename", ["email=two words"]),
        ("rename", ["nothing=something"]),
        ("rename", ["email=name"]),
        ("rename", ["email=x", "name=x"]),
        ("rename", ["email=x", "email=y"]),
        ("milestones", ["Second Call"]),
        ("groups", "perhaps"),
    ],
)
def test_a_choice_that_means_nothing_is_refused(field: str, value: object) -> None:
    """What was to be left out would be sent."""
    with pytest.raises(InvalidInputError) as caught:
        Segment().read_settings({field: value})
    assert caught.value.field.startswith(field)


def test_each_company_of_a_page_is_one_group_call() -> None:
    """Carried by the first of its users; the same change of it makes the same message."""
    bo = msgspec.structs.replace(ANN, id="bo")
    found = sent(page(ANN, bo), groups=True)
    (group,) = (message for message in found if message["type"] == "group")
    assert (group["userId"], group["groupId"]) == ("ann", "planted-acme")
    assert group["traits"]["name"] == "Planted Works"
    assert group["traits"]["companyDomain"] == "planted-domain.example"
    (again,) = (message for message in sent(page(bo), groups=True) if message["type"] == "group")
    assert again["messageId"] == group["messageId"]


def test_the_first_success_is_told_once_and_only_while_it_is_news() -> None:
    """Its id never changes; a year later nobody needs to hear of it."""
    (_, track) = sent(page(ANN), milestones=[FIRST_SUCCESS])
    assert (track["type"], track["event"], track["userId"]) == ("track", FIRST_SUCCESS, "ann")
    assert track["timestamp"] == "2026-11-20T05:04:04.000Z"
    assert track["properties"] == {"ttfhw_s": 3600, "company": "planted-acme"}
    later = msgspec.structs.replace(ANN, changed_offset=50)
    assert sent(page(later), milestones=[FIRST_SUCCESS])[1]["messageId"] == track["messageId"]
    old = msgspec.structs.replace(ANN, first_success_at=NOW - timedelta(days=8))
    never = msgspec.structs.replace(ANN, first_success_at=None)
    assert len(sent(page(old, never), milestones=[FIRST_SUCCESS])) == 2


def test_the_past_is_told_without_groups_and_milestones() -> None:
    """A backfill says what users did then, not what their companies are now."""
    found = sent(page(ANN, salt="backfill"), **EVERYTHING)
    assert [message["type"] for message in found] == ["identify"]


def test_a_connection_without_choices_has_the_shape_it_had() -> None:
    """So that nobody is sent afresh by an upgrade; a choice makes another."""
    assert SegmentSettings().shape == "current"
    shapes = {
        SegmentSettings(without=("email",)).shape,
        SegmentSettings(rename=("email=mail",)).shape,
        SegmentSettings(payload_version="2019").shape,
        SegmentSettings(groups=True).shape,
    }
    assert len(shapes) == 4
    assert set(TRAITS) < set(CAN_BE_LEFT_OUT)
