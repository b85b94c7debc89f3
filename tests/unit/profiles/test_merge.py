"""Profile updates merge to the same profile in any order, any grouping, any number of times."""

import functools
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from headwater.model import ProfileUpdate
from headwater.profiles.fold import LONGEST_VALUE_BYTES, fold
from headwater.profiles.merge import MOST_LEAVES, ProfileState, merge, to_document

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEYS = st.sampled_from(["a", "b", "metadata", "campaign"])
SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.integers(0, 3), st.just("x"), st.just([1, None]), st.just({})
)
OBJECTS = st.dictionaries(
    KEYS,
    st.recursive(SCALARS, lambda inner: st.dictionaries(KEYS, inner, max_size=3), max_leaves=6),
    max_size=4,
)


def an_update(fields: Any, *, minute: int = 0, number: int = 0, **facts: Any) -> ProfileUpdate:
    at = NOON + timedelta(minutes=minute)
    given_facts = {
        "app_id": "app_1",
        "kind": "user",
        "id": "ann",
        "update_id": f"u{number:04}",
        "time": at,
        "received_at": at,
        "fields": Raw(msgspec.json.encode(fields)),
    }
    return ProfileUpdate(**{**given_facts, **facts})


def a_raw_update(raw: bytes) -> ProfileUpdate:
    return msgspec.structs.replace(an_update({}), fields=Raw(raw))


@st.composite
def histories(draw: st.DrawFn) -> list[ProfileUpdate]:
    count = draw(st.integers(1, 6))
    return [
        an_update(
            draw(OBJECTS),
            minute=draw(st.integers(0, 3)),
            number=number,
            company_id=draw(st.sampled_from(["", "c1", "c2"])),
            anonymous_id=draw(st.sampled_from(["", "v1"])),
            id=draw(st.sampled_from(["ann", ""])),
        )
        for number in range(count)
    ]


def merged(updates: list[ProfileUpdate]) -> ProfileState:
    return functools.reduce(merge, map(fold, updates))


def shown(state: ProfileState) -> Any:
    return msgspec.json.decode(msgspec.json.encode(to_document(state)))


def replayed(updates: list[ProfileUpdate]) -> Any:
    """Apply the updates one after another, oldest first, in the plainest way."""
    document: dict[str, Any] = {}
    for update in sorted(updates, key=lambda one: (one.time, one.update_id)):
        fields = msgspec.json.decode(update.fields)
        campaign = fields.pop("campaign", None)
        if isinstance(campaign, dict):
            campaign = {k: v for k, v in campaign.items() if v not in (None, {})}
        if campaign not in (None, {}):
            document["campaign"] = campaign
            document.setdefault("initial_campaign", campaign)
        overlay(document, fields)
        if update.company_id:
            document["company_id"] = update.company_id
    return document


def overlay(target: dict[str, Any], fields: dict[str, Any]) -> None:
    for key, value in fields.items():
        if value is None or not says_something(value):
            continue
        if isinstance(value, dict):
            if not isinstance(target.get(key), dict):
                target[key] = {}
            overlay(target[key], value)
        else:
            target[key] = value


def says_something(value: Any) -> bool:
    if isinstance(value, dict):
        return any(says_something(inner) for inner in value.values())
    return value is not None


@given(histories(), st.randoms(use_true_random=False))
def test_any_order_gives_the_same_state(updates: list[ProfileUpdate], chance: Any) -> None:
    """Merging is commutative and associative."""
    shuffled = list(updates)
    chance.shuffle(shuffled)
    assert merged(shuffled) == merged(updates)


@given(histories(), st.data())
def test_any_grouping_gives_the_same_state(updates: list[ProfileUpdate], data: Any) -> None:
    """Batches may be cut anywhere."""
    cut = data.draw(st.integers(0, len(updates)))
    groups = [group for group in (updates[:cut], updates[cut:]) if group]
    assert functools.reduce(merge, map(merged, groups)) == merged(updates)


@given(histories())
def test_a_replay_changes_nothing(updates: list[ProfileUpdate]) -> None:
    """Merging is idempotent, for one update and for all of them."""
    state = merged(updates)
    assert merge(state, state) == state
    assert functools.reduce(merge, map(fold, updates), state) == state


@given(histories())
def test_the_document_is_that_of_a_replay_in_time(updates: list[ProfileUpdate]) -> None:
    """What shows is what applying the updates in their own order would show."""
    assert shown(merged(updates)) == replayed(updates)


def test_a_late_value_below_a_scalar_still_finds_its_rival() -> None:
    """Object, then scalar, then object, arriving in the worst order, gives the newest object."""
    old = an_update({"crm": {"stage": "trial"}}, minute=1)
    scalar = an_update({"crm": "none"}, minute=2)
    new = an_update({"crm": {"owner": "bo"}}, minute=3)
    assert shown(merged([new, old, scalar])) == {"crm": {"owner": "bo"}}
    assert shown(merged([old, scalar])) == {"crm": "none"}


def test_an_older_update_fills_gaps_but_overwrites_nothing() -> None:
    """`modified_time` decides, not the arrival."""
    new = an_update({"metadata": {"email": "new@example.com"}}, minute=9)
    old = an_update({"metadata": {"email": "old@example.com", "plan": "pro"}}, minute=1)
    assert shown(merged([new, old])) == {"metadata": {"email": "new@example.com", "plan": "pro"}}


def test_a_clock_that_is_ahead_does_not_win_for_ever() -> None:
    """Nothing was modified later than it arrived."""
    ahead = an_update({"a": 1}, minute=1, time=NOON + timedelta(days=9_999))
    later = an_update({"a": 2}, minute=2)
    assert shown(merged([ahead, later])) == {"a": 2}


def test_both_touches_of_a_campaign_stay() -> None:
    """First and last touch are kept whole, never mixed."""
    first = an_update({"campaign": {"utm_source": "news", "utm_term": "api"}}, minute=1)
    last = an_update({"campaign": {"utm_source": "ads", "gclid": None}}, minute=5)
    assert shown(merged([last, first])) == {
        "campaign": {"utm_source": "ads"},
        "initial_campaign": {"utm_source": "news", "utm_term": "api"},
    }


def test_ids_of_visitors_and_sessions_are_kept_as_sets() -> None:
    """Earlier ones stay."""
    state = merged(
        [an_update({}, anonymous_id="v1"), an_update({}, anonymous_id="v2", session_key="k")]
    )
    assert (state.anonymous_ids, state.session_keys, state.anonymous) == (
        ("v1", "v2"),
        ("k",),
        False,
    )


def test_ten_thousand_keys_are_bounded_and_marked() -> None:
    """The e-mail address survives whatever else is sent, in any order of arrival."""
    many = an_update({"metadata": {f"a{n:05}": n for n in range(10_000)}}, minute=1)
    few = an_update({"metadata": {"email": "ann@example.com"}}, minute=0)
    state = merged([many, few])
    assert state == merged([few, many])
    assert len(state.leaves) == MOST_LEAVES
    assert state.overflowed
    assert shown(state)["metadata"]["email"] == "ann@example.com"


@given(st.lists(st.integers(0, 4_000), min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_the_bound_does_not_depend_on_order(starts: list[int], chance: Any) -> None:
    """Leaves beyond the bound are the same ones, however the updates were grouped."""
    updates = [
        an_update({f"k{n}": n for n in range(start, start + 1_500)}, number=start)
        for start in starts
    ]
    shuffled = list(updates)
    chance.shuffle(shuffled)
    assert merged(shuffled) == merged(updates)


def test_too_long_a_value_is_left_out_and_marked() -> None:
    """The rest of the update counts."""
    state = fold(an_update({"a": "x" * LONGEST_VALUE_BYTES, "b": 1}))
    assert (shown(state), state.overflowed) == ({"b": 1}, True)


def test_unreadable_fields_never_stop_the_river() -> None:
    """Broken JSON, NaN, half a surrogate, huge integers, deep nesting: kept or marked, no crash."""
    deep = b'{"d":' * 5_000 + b"1" + b"}" * 5_000
    cases = {
        b"[1]": {},
        b'{"a":NaN}': {"a": "NaN"},
        b'{"a":"\xff"}': {"a": "�"},
        b'{"a":"\\ud800"}': {"a": "?"},
        b'{"a":' + b"9" * 30 + b"}": {"a": "9" * 30},
        b'{"a":': {},
    }
    for raw, expected in cases.items():
        assert shown(fold(a_raw_update(raw))) == expected
    assert fold(a_raw_update(deep)).overflowed
    nested = b"[" * 900 + b"]" * 900
    state = fold(a_raw_update(b'{"a":1,"b":' + nested + b"}"))
    assert shown(state)["a"] == 1 or state.overflowed
