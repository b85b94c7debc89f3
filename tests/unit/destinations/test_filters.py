"""What filters let through, and what they take away."""

from copy import deepcopy
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.base.errors import InvalidInputError
from headwater.destinations import ALWAYS, Condition, Dropped, apply_filters, holds, read_filters
from headwater.destinations.filters import AllowFields, BlockFields, Drop, Filter, Only, Sample
from headwater.destinations.paths import find_value
from headwater.model import Message
from tests.support.messages import a_message
from tests.unit.destinations.shapes import bodies, conditions, paths

IS_PRO = Condition(field="traits.plan", op="is", value="pro")


def message_of(body: dict[str, Any]) -> Message:
    whole = dict(body)
    return a_message(whole.pop("messageId"), **whole)


def passes(one: Filter, message: Message) -> bool:
    return isinstance(apply_filters([one], message), Message)


@given(conditions, bodies)
def test_drop_and_only_are_opposites(condition: Condition, body: dict[str, Any]) -> None:
    """Every message passes exactly one of the two, and comes out as it went in."""
    message = message_of(body)
    assert passes(Only(when=condition), message) is holds(condition, message.body)
    assert passes(Drop(when=condition), message) is not passes(Only(when=condition), message)
    for one in (Drop(when=condition), Only(when=condition)):
        if passes(one, message):
            assert apply_filters([one], message) == message


@given(st.floats(0, 1), st.floats(0, 1), st.text("abc", min_size=1, max_size=9))
def test_a_larger_sample_holds_the_smaller(one: float, other: float, message_id: str) -> None:
    """The same message always gets the same answer, whatever the order or the time."""
    message = a_message(message_id)
    small, large = sorted((one, other))
    if passes(Sample(share=small), message):
        assert passes(Sample(share=large), message)
    assert passes(Sample(share=1), message)
    assert not passes(Sample(share=0), message)


def test_a_sample_has_about_its_share() -> None:
    """Of 5,000 messages a fifth passes, within three standard deviations."""
    kept = sum(passes(Sample(share=0.2), a_message(f"m-{n}")) for n in range(5_000))
    assert 915 < kept < 1_085


def test_a_sample_by_user_keeps_users_whole() -> None:
    """All messages of a user pass, or none; who is not named yet counts by the anonymous id."""
    sample = Sample(share=0.5, by="user")
    answers = [
        {passes(sample, a_message(f"m-{n}", userId=f"u-{user}")) for n in range(5)}
        for user in range(40)
    ]
    assert all(len(answer) == 1 for answer in answers)
    assert {True} in answers
    assert {False} in answers


def test_a_sample_takes_only_of_what_meets_its_condition() -> None:
    sample = Sample(share=0, when=IS_PRO)
    assert not passes(sample, a_message(traits={"plan": "pro"}))
    assert passes(sample, a_message(traits={"plan": "free"}))


@given(st.lists(paths, min_size=1, max_size=3), bodies)
def test_blocked_fields_are_gone_and_allowed_ones_stay(
    chosen: list[str], body: dict[str, Any]
) -> None:
    """Blocking leaves nothing at a path, allowing changes nothing at it; the input stays."""
    before = deepcopy(body)
    blocked = apply_filters([BlockFields(fields=tuple(chosen))], message_of(body))
    allowed = apply_filters([AllowFields(fields=tuple(chosen))], message_of(body))
    assert isinstance(blocked, Message)
    assert isinstance(allowed, Message)
    for path in chosen:
        if "0" not in path.split("."):
            assert find_value(blocked.body, path) in (None, [])
    rest = apply_filters([BlockFields(fields=tuple(chosen))], allowed)
    assert isinstance(rest, Message)
    assert _leaves(rest.body.get("traits", {})) == []
    assert body == before


def _leaves(value: Any) -> list[Any]:
    """Return what is left besides empty containers and elements of lists, which no path names."""
    if isinstance(value, dict):
        return [leaf for one in value.values() for leaf in _leaves(one)]
    return [] if value is None or isinstance(value, list) else [value]


def test_allow_keeps_the_envelope_and_nothing_unknown() -> None:
    """Ids and times stay; of the open objects, and beside them, only what is listed does."""
    message = a_message(
        traits={"email": "ann@example.com", "plan": "pro"}, context={"ip": "192.0.2.1"}, own=1
    )
    seen = apply_filters([AllowFields(fields=("traits.plan",))], message)
    assert isinstance(seen, Message)
    assert seen.body == {
        "type": "identify", "userId": "u-1", "messageId": "m-1", "traits": {"plan": "pro"},
    }  # fmt: skip


def test_a_field_of_each_product_can_be_blocked() -> None:
    products = [{"sku": "A", "price": 1}, {"sku": "B", "price": 2}]
    message = a_message(type="track", properties={"products": products})
    seen = apply_filters([BlockFields(fields=("properties.products.price",))], message)
    assert isinstance(seen, Message)
    assert seen.body["properties"] == {"products": [{"sku": "A"}, {"sku": "B"}]}


def test_a_blocked_user_id_is_nowhere() -> None:
    """Also not beside the body, where destinations could read it."""
    seen = apply_filters([BlockFields(fields=("userId",))], a_message())
    assert isinstance(seen, Message)
    assert (seen.user_id, "userId" in seen.body) == ("", False)


def test_filters_apply_in_order_and_only_when_on() -> None:
    """The second sees what the first left; the answer names who dropped."""
    block = BlockFields(fields=("traits.plan",))
    only = Only(when=IS_PRO, name="Paying")
    message = a_message(traits={"plan": "pro"})
    assert apply_filters([block, only], message) == Dropped(reason="filter", detail="Paying")
    assert isinstance(apply_filters([only, block], message), Message)
    off = msgspec.structs.replace(only, enabled=False)
    assert isinstance(apply_filters([block, off], message), Message)


def test_a_filter_that_errs_drops() -> None:
    """Half a surrogate cannot be hashed: what cannot be decided is not sent."""
    found = apply_filters([Sample(share=1)], a_message("\ud800"))
    assert isinstance(found, Dropped)
    assert found.reason == "filter_error"
    assert found.detail.startswith("filter 1: UnicodeEncodeError")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ([{"kind": "drop"}], "filters[0]"),
        ([{"kind": "forget", "when": {"all": []}}], "filters[0].kind"),
        ([{"kind": "sample", "share": 1.5}], "filters[0]"),
        ([{"kind": "sample", "share": "half"}], "filters[0].share"),
        ([{"kind": "allow", "fields": ["userId"]}], "filters[0]"),
        ([{"kind": "block", "fields": ["messageId"]}], "filters[0]"),
        ([{"kind": "block", "fields": ["a..b"]}], "filters[0]"),
        ([{"kind": "block", "fields": ["a"], "name": "n" * 65}], "filters[0]"),
        ([{"kind": "only", "when": {"field": "a", "op": "so"}}], "filters[0].when.op"),
        ([{"kind": "block", "fields": ["a"]}] * 11, "filters"),
        ("none", "filters"),
    ],
)
def test_a_wrong_filter_is_named_by_its_path(given: Any, field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_filters(given)
    assert caught.value.field == field


def test_filters_survive_their_json() -> None:
    """What is stored is read back as it was, with its kind."""
    filters: tuple[Filter, ...] = (
        Drop(when=IS_PRO, name="No pros"),
        Sample(share=0.1, by="user", when=ALWAYS),
        AllowFields(fields=("traits.a",), enabled=False),
    )
    assert read_filters(msgspec.to_builtins(filters)) == filters
