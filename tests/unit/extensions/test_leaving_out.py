"""What is left out stands nowhere in metadata, however deep, in lists, under any of its names."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.extensions.leaving_out import SPELLED, LeavingOut
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
