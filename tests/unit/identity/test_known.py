"""The rule of whom a key names: the same in any order, with the past kept and sharing found out."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.profiles.identity.known import MOST_VALUES, Known, Seen, learn
from headwater.profiles.identity.links import Kind, Source, gather_facts, to_links
from tests.support.calls import NOON, make_call

_DAY = timedelta(days=1)
KINDS: tuple[Kind, ...] = ("session", "anonymous", "user")


def seen(value: str, days: float, kind: Kind = "anonymous") -> Seen:
    at = NOON + days * _DAY
    return Seen(value, 0 if kind == "session" else at.toordinal(), at)


evidence = st.lists(
    st.builds(seen, st.sampled_from(["ann", "bob", "cy"]), st.floats(0, 9)), max_size=12
)


def test_a_key_names_whom_it_was_last_seen_with() -> None:
    """Calls before the first link belong to the first; later links take later calls only."""
    browser = learn("anonymous", [seen("ann", 1), seen("bob", 3), seen("ann", 5)])
    assert [browser.at(NOON + n * _DAY) for n in (0, 1, 2, 3, 4, 5, 9)] == [
        "ann", "ann", "ann", "bob", "bob", "ann", "ann",
    ]  # fmt: skip


def test_a_shared_session_key_takes_nothing_from_anybody() -> None:
    """From its second user on a session key names nobody; what came before stays the first's."""
    key = learn("session", [seen("ann", 1, "session"), seen("bob", 3, "session")])
    assert [key.at(NOON + n * _DAY) for n in (0, 2, 3, 9)] == ["ann", "ann", "", ""]


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_of_too_many_names_nobody_any_more(kind: Kind) -> None:
    """However many values come, what is kept of the key stays small."""
    most = MOST_VALUES[kind]
    key = learn(kind, [seen(f"user {n:02}", n, kind) for n in range(100)])
    assert key.at(NOON + most * _DAY) == ""
    assert key.at(NOON + (most - 1) * _DAY) == f"user {most - 1:02}"
    assert len(key.names) == most + 1
    assert not key.is_news("somebody else", 0, NOON + 99 * _DAY)


def test_an_unknown_key_names_nobody() -> None:
    """And whatever comes first is news."""
    assert Known().at(NOON) == ""
    assert Known().is_news("ann", 1, NOON)


@given(evidence, st.randoms(use_true_random=False), st.floats(-1, 10))
def test_order_and_repetition_do_not_matter(some: list[Seen], random: Any, days: float) -> None:
    """Shuffled and doubled, evidence tells the same."""
    shuffled = [*some, *some[: len(some) // 2]]
    random.shuffle(shuffled)
    for kind in KINDS:
        assert learn(kind, shuffled) == learn(kind, some)
        assert learn(kind, some).at(NOON + days * _DAY) == learn(kind, shuffled).at(
            NOON + days * _DAY
        )


@given(evidence, evidence, st.floats(-1, 10))
def test_what_is_no_news_changes_nothing(some: list[Seen], more: list[Seen], days: float) -> None:
    """Evidence that is not kept would not have changed any answer, now or later."""
    moment = NOON + days * _DAY
    for kind in KINDS:
        kept = list(some)
        for one in more:
            if learn(kind, kept).is_news(one.value, one.day, one.at):
                kept.append(one)
        assert learn(kind, kept).at(moment) == learn(kind, [*some, *more]).at(moment)


@given(st.lists(st.builds(seen, st.just("ann"), st.floats(0, 9)), min_size=1), evidence)
def test_a_single_value_needs_little_memory(some: list[Seen], more: list[Seen]) -> None:
    """What is kept of a key with one value takes in more of that value without the store."""
    mine = [one for one in more if one.value == "ann"]
    shelf = learn("anonymous", [*learn("anonymous", some).evidence, *mine])
    whole = learn("anonymous", [*some, *mine])
    assert (shelf.names, shelf.starts, shelf.newest) == (whole.names, whole.starts, whole.newest)


def test_facts_become_links() -> None:
    """A thousand calls that say the same are one fact; a call without a user says nothing."""
    calls = [
        make_call(f"c{n}", time=NOON + timedelta(seconds=n), session_key="s1", anonymous_id="b1")
        for n in reversed(range(1_000))
    ]
    silent = make_call("silent", user_id="", anonymous_id="b2")
    facts = gather_facts([*calls, silent], [])
    fact = ("app_1", "user_1", "company_1", "s1", "b1", NOON.toordinal())
    assert facts == {fact: Source(NOON, "c0")}
    links: dict[Any, datetime] = {
        (*link.key[1:], link.value): source.at for link, source in to_links(facts).items()
    }
    assert links == {
        ("session", "s1", "user_1"): NOON,
        ("anonymous", "b1", "user_1"): NOON,
        ("user", "user_1", "company_1"): NOON,
    }


@given(evidence, evidence, st.sampled_from(["ann", "bob"]))
def test_what_was_ruled_out_never_counts(some: list[Seen], more: list[Seen], wrong: str) -> None:
    """As if it had never been seen, and no news when it is seen again."""
    known = learn("anonymous", some, frozenset({wrong}))
    plain = learn("anonymous", [one for one in some if one.value != wrong])
    assert (known.names, known.starts, known.until) == (plain.names, plain.starts, plain.until)
    assert not any(known.is_news(one.value, one.day, one.at) for one in more if one.value == wrong)
