"""What is left out stands nowhere: in no field of the webhook, nor in metadata, however deep."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.extensions.leaving_out import SPELLED, LeavingOut
from headwater.extensions.webhook.fields import COMPANY, USER
from headwater.extensions.webhook.messages import MOST_BYTES
from headwater.model import ClientCount
from headwater.profiles import Agent, Company, Person
from tests.support.rollups import make_rollup
from tests.unit.extensions.test_webhook_messages import BO, compose, page, said

PLANTED = "planted-value"
FIELDS = {
    "email": "email", "name": "name", "phone": "phone", "photoUrl": "photoUrl",
    "username": "username", "ip": "lastIp", "userAgent": "lastUserAgent", "campaign": "lastTouch",
    "company": "companyId", "location": "location", "locale": "locale",
}  # fmt: skip
"""Facts, and the webhook's fields that tell them."""


@st.composite
def hidden(draw: st.DrawFn, fact: str) -> Any:
    """Metadata that holds the planted value under one of the fact's names, somewhere."""
    name = draw(st.sampled_from(SPELLED[fact]))
    spelt = draw(st.sampled_from([name, name.upper(), name.title(), name.replace("_", "-")]))
    value: Any = {spelt: PLANTED, "kept": 1}
    for level in draw(st.lists(st.sampled_from(["list", "object"]), max_size=4)):
        value = {"inner": [value, "text"]} if level == "list" else {"inner": value}
    return value


@given(st.data(), st.sampled_from(sorted(FIELDS)))
def test_no_name_of_it_is_left(data: st.DataObject, fact: str) -> None:
    """By the one mechanism, and in what the webhook sends."""
    metadata = data.draw(hidden(fact))
    thin = json.dumps(LeavingOut([fact], []).thin(metadata))
    assert PLANTED not in thin
    assert '"kept": 1' in thin
    person = type(BO)(
        id="bo", doc={"metadata": metadata}, created_at=BO.created_at, modified_at=BO.modified_at
    )
    (item,) = compose(page(person), without=[FIELDS[fact]])
    assert PLANTED not in json.dumps(said(item))


@pytest.mark.parametrize(
    ("path", "metadata"),
    [
        ("metadata.a", {"a": PLANTED}),
        ("metadata.A", {"a": PLANTED}),
        ("metadata.contacts.email", {"contacts": [{"email": PLANTED}, {"Email": PLANTED}]}),
        ("metadata.a.b.c", {"a": {"b.c": PLANTED}}),
        ("metadata.a.b.c", {"a.b": {"c": PLANTED}}),
        ("metadata.a.b", {"a": [[{"b": PLANTED}]]}),
    ],
)
def test_a_path_goes_through_objects_and_lists(path: str, metadata: dict[str, Any]) -> None:
    """Its dots are levels, or part of a name; case does not count; what is beside it stays."""
    thin = LeavingOut([], [path]).thin({**metadata, "beside": {"b": "stays"}})
    assert PLANTED not in json.dumps(thin)
    assert thin["beside"] == {"b": "stays"}


def test_nothing_left_out_changes_nothing() -> None:
    """Not even a copy's order."""
    metadata = {"email": "a@b.example", "list": [{"x": 1}]}
    assert LeavingOut([], []).thin(metadata) == metadata


SAID: dict[str, tuple[str, ...]] = {
    "agent": ("planted-os",),
    "anonymousIds": ("planted-browser",),
    "companyId": ("planted-company", "planted-company-of-metadata"),
    "companySince": ("2011-",),
    "createdAt": ("2012-", "2022-"),
    "domain": ("planted-domain", "planted-domain-of-metadata"),
    "email": ("planted-email", "planted-mail"),
    "firstSeenAt": ("2013-", "2023-", "planted first call"),
    "firstSuccessAt": ("2014-",),
    "firstTouch": ("planted-first-touch", "planted-utm"),
    "lastIp": ("planted-ip", "planted-ip-of-company", "planted-ip-of-metadata"),
    "lastSeenAt": ("2015-", "2025-", "planted last call"),
    "lastTouch": ("planted-last-touch", "planted-utm"),
    "lastUserAgent": ("planted-agent", "planted-agent-of-metadata", "planted-os", "planted-client"),
    "lifecycle": ("resurrected",),
    "locale": ("planted-locale",),
    "location": ("planted-place",),
    "metadata": ("planted-free", "planted-of-company"),
    "modifiedAt": ("2016-", "2026-"),
    "name": ("planted-name", "planted-given", "planted-name-of-company"),
    "phone": ("planted-phone", "planted-phone-of-metadata"),
    "photoUrl": ("planted-photo", "planted-avatar"),
    "ttfhw_s": ("63158400",),
    "username": ("planted-user", "planted-user-of-metadata"),
}
"""Each name that the webhook can leave out, and every value below that tells it."""
IN_USERS_METADATA = {
    "companyId": "planted-company-of-metadata", "Mail": "planted-mail", "utm-source": "planted-utm",
    "IP address": "planted-ip-of-metadata", "user_agent": "planted-agent-of-metadata",
    "first_name": "planted-given", "phone_number": "planted-phone-of-metadata",
    "avatar": "planted-avatar", "USER_NAME": "planted-user-of-metadata", "free": "planted-free",
    "domain": "planted-domain-of-metadata",
}  # fmt: skip


def _year(year: int) -> datetime:
    return datetime(year, 1, 1, tzinfo=UTC)


CY = Person(
    id="cy", doc={}, created_at=_year(2012), modified_at=_year(2016), first_seen_at=_year(2013),
    last_seen_at=_year(2015), first_success_at=_year(2014), last_ip="planted-ip",
    name="planted-name", lifecycle="resurrected", email="planted-email", username="planted-user",
    phone="planted-phone", photo_url="planted-photo", company_id="planted-company",
    company_since=_year(2011), last_user_agent="planted-agent", agent=Agent(os="planted-os"),
    first_touch={"utm_source": "planted-first-touch"},
    last_touch={"utm_source": "planted-last-touch"}, location={"city": "planted-place"},
    locale="planted-locale", anonymous_ids=("planted-browser",), session_keys=("planted-session",),
)  # fmt: skip
WORKS = Company(
    id="works", doc={"metadata": {"free": "planted-free", "b": {"tier": "planted-of-company"}}},
    created_at=_year(2022), modified_at=_year(2026), first_seen_at=_year(2023),
    last_seen_at=_year(2025), last_ip="planted-ip-of-company", name="planted-name-of-company",
    domain="planted-domain",
)  # fmt: skip
NUMBERS = make_rollup(
    clients=(ClientCount(name="planted-client", version="1", calls=1),),
    first_call_at="planted first call", last_call_at="planted last call",
)  # fmt: skip


def _sent(without: set[str], levels: int, padding: int) -> str:
    """Return all that is said of a user and a company, without the ids that say of whom."""
    metadata: Any = {**IN_USERS_METADATA, "padding": "p" * padding}
    for level in range(levels):
        metadata = {"inner": [metadata] if level % 2 else metadata}
    cy = msgspec.structs.replace(CY, doc={"metadata": metadata})
    people = msgspec.structs.replace(page(cy, companies=(WORKS,)), days={"cy": NUMBERS})
    items = compose(people, without=sorted(without), subjects="both")
    assert all(len(item.payload or b"") <= MOST_BYTES for item in items)
    about_user, about_company = map(said, items)
    parts = [about_user["user"], about_user["dailyAggregation"], about_company["company"]]
    return json.dumps(parts)


@given(
    st.sets(st.sampled_from(sorted(SAID))),
    st.integers(0, 4),
    st.sampled_from([0, MOST_BYTES]),
)
def test_no_field_left_out_is_told_by_another(without: set[str], levels: int, padding: int) -> None:
    """Whatever else is left out, wherever metadata holds it, trimmed or not."""
    text = _sent(without, levels, padding)
    told = [(name, value) for name in without for value in SAID[name] if value in text]
    assert not told
    assert "planted-session" not in text


def test_each_name_of_the_webhook_is_held_and_told_otherwise() -> None:
    """The check above would see it: each value is there when nothing is left out."""
    text = _sent(set(), 2, 0)
    assert not [value for values in SAID.values() for value in values if value not in text]
    assert set(SAID) == {*USER, *COMPANY} - {"id"}
