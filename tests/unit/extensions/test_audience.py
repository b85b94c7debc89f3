"""Conditions say whom a connection sends: typed, checked before they are saved, no surprise."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from headwater.base.errors import InvalidInputError
from headwater.extensions.audience import Condition, choose_users, read_condition
from headwater.profiles import Person

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


def person(id_: str = "ann", **facts: Any) -> Person:
    return Person(
        id=id_,
        created_at=NOW - timedelta(days=40),
        modified_at=NOW - timedelta(days=2),
        **{
            "doc": {"metadata": {"plan": "pro", "seats": 4, "beta": True, "tags": ["a", "b"]}},
            "email": "ann@acme.example",
            "company_id": "acme",
            "last_seen_at": NOW - timedelta(days=3),
            **facts,
        },
    )


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("email ends_with @acme.example", True), ("email ends_with @other.example", False),
        ("email starts_with ann", True), ("email contains @", True), ("email exists", True),
        ("username exists", False), ("username missing", True), ("id is ann", True),
        ("company is acme", True), ("company is_not acme", False),
        ("metadata.plan is pro", True), ("metadata.plan is Pro", False),
        ("metadata.plan is_not free", True), ("metadata.nothing is_not free", True),
        ("metadata.nothing is free", False), ("metadata.plan.deeper exists", False),
        ("metadata.seats is 4", True), ("metadata.seats is 4.0", True),
        ("metadata.seats at_least 4", True), ("metadata.seats at_most 3", False),
        ("metadata.plan at_least 3", False), ("metadata.beta is true", True),
        ("metadata.beta at_least 1", False), ("metadata.tags is b", True),
        ("metadata.tags is_not b", False), ("metadata.tags is c", False),
        ("last_seen within_days 3", True), ("last_seen within_days 2.9", False),
        ("last_seen not_within_days 2", True), ("first_seen within_days 1", False),
        ("first_seen not_within_days 1", True), ("created within_days 41", True),
    ],
)  # fmt: skip
def test_a_condition_of_a_profile(condition: str, holds: bool) -> None:
    """As it is typed on the command line."""
    found = choose_users([read_condition(condition)], [person()], NOW)
    assert [one.id for one in found] == (["ann"] if holds else [])


def test_all_conditions_must_hold() -> None:
    """Without any, everybody is meant; what is asked of activity is asked later."""
    both = [read_condition(text) for text in ("email exists", "metadata.plan is pro", "calls is 5")]
    people = [person(), person("bo", email=""), person("cy", doc={})]
    assert [one.id for one in choose_users(both, people, NOW)] == ["ann"]
    assert choose_users([], people, NOW) == people


@pytest.mark.parametrize(
    "typed",
    [
        "", "email", "email looks_like x", "nothing is x", "email within_days 3",
        "last_seen is 3", "last_seen within_days soon", "calls at_least many", "calls contains x",
        "metadata.seats at_least x", "lifecycle is asleep", "used./orders exists", "used./a is b",
        "last_seen within_days inf", "used./a within_days -1", "last_seen within_days nan",
    ],
)  # fmt: skip
def test_what_is_no_condition_is_refused(typed: str) -> None:
    """With what there is to ask."""
    with pytest.raises(InvalidInputError) as caught:
        read_condition(typed)
    assert (caught.value.field, "within_days" in caught.value.hint) == ("audience", True)


def test_a_value_is_kept_as_its_test_needs_it() -> None:
    """Numbers as numbers, texts as texts, none where none is asked."""
    assert read_condition("metadata.seats at_least 3").value == 3.0
    assert read_condition("metadata.version is 3").value == "3"
    assert read_condition("email exists now") == Condition(field="email", op="exists")
