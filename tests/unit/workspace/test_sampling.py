"""A sampling policy is one that every client library can read."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.base.errors import InvalidInputError
from headwater.workspace import Condition, RegexRule, SamplingPolicy, read_sampling, warn_of

RULE: dict[str, Any] = {
    "conditions": [{"path": "request.route", "value": "/health/.*"}],
    "sample_rate": 0,
}


def _rule(path: str, value: str, rate: object = 0) -> dict[str, Any]:
    return {"conditions": [{"path": path, "value": value}], "sample_rate": rate}


def test_a_policy_is_read() -> None:
    """What is left out asks for everything."""
    assert read_sampling({}) == SamplingPolicy()
    assert SamplingPolicy().sample_rate == 100
    policy = read_sampling(
        {"sample_rate": 25, "user_sample_rate": {"u": 0}, "regex_config": [RULE]}
    )
    condition = Condition(path="request.route", value="/health/.*")
    assert policy == SamplingPolicy(
        sample_rate=25,
        user_sample_rate={"u": 0},
        regex_config=(RegexRule(conditions=(condition,), sample_rate=0),),
    )


TWICE = {
    "conditions": [RULE["conditions"][0], {"path": "request.route", "value": "b"}],
    "sample_rate": 0,
}
WRONG: list[tuple[object, str]] = [
    ([], "$"),
    ({"sampel_rate": 5}, "$"),
    ({"sample_rate": 25.5}, "$.sample_rate"),
    ({"sample_rate": 25.0}, "$.sample_rate"),
    ({"sample_rate": "25"}, "$.sample_rate"),
    ({"sample_rate": True}, "$.sample_rate"),
    ({"sample_rate": None}, "$.sample_rate"),
    ({"sample_rate": 101}, "$.sample_rate"),
    ({"sample_rate": -1}, "$.sample_rate"),
    ({"user_sample_rate": {"a": 5, "b": 101}}, "$.user_sample_rate['b']"),
    ({"company_sample_rate": {"c": 0.5}}, "$.company_sample_rate['c']"),
    ({"company_sample_rate": [5]}, "$.company_sample_rate"),
    ({"user_sample_rate": {f"u{n}": 5 for n in range(10_001)}}, "$.user_sample_rate"),
    ({"regex_config": [RULE] * 101}, "$.regex_config"),
    (
        {"regex_config": [RULE, {"conditions": [], "sample_rate": 0}]},
        "$.regex_config[1].conditions",
    ),
    ({"regex_config": [{"conditions": RULE["conditions"]}]}, "$.regex_config[0]"),
    ({"regex_config": [_rule("request.body.x", "a")]}, "$.regex_config[0].conditions[0].path"),
    ({"regex_config": [_rule("request.verb", "(")]}, "$.regex_config[0].conditions[0].value"),
    ({"regex_config": [_rule("request.verb", "G", 1.5)]}, "$.regex_config[0].sample_rate"),
    ({"regex_config": [RULE, TWICE]}, "$.regex_config[1].conditions[1].path"),
]


@pytest.mark.parametrize(("document", "field"), WRONG, ids=range(len(WRONG)))
def test_what_would_break_a_client_is_refused_at_its_place(document: object, field: str) -> None:
    """One library refuses its whole configuration over one fraction."""
    with pytest.raises(InvalidInputError) as caught:
        read_sampling(document)
    assert caught.value.field == field


@pytest.mark.parametrize("rate", [0, 1, 2, 4, 5, 10, 20, 25, 50, 100])
def test_rates_that_clients_weigh_exactly_need_no_warning(rate: int) -> None:
    """Weight times share is one."""
    rates = {"a": rate}
    policy = SamplingPolicy(sample_rate=rate, user_sample_rate=rates, company_sample_rate=rates)
    assert warn_of(policy) == []


def test_other_rates_are_taken_with_a_warning() -> None:
    """It says how much of the truth counts will show."""
    policy = read_sampling({"sample_rate": 60, "user_sample_rate": {"a": 33, "b": 33, "c": 50}})
    warnings = warn_of(policy)
    assert len(warnings) == 2
    assert "60 %" in warnings[0]
    assert warnings[1].startswith("user_sample_rate: at 33 % clients give a call the weight 3")
    assert "99 %" in warnings[1]


def test_partial_rates_of_rules_are_taken_with_a_warning() -> None:
    """Half of the libraries ignore rules; only those of 0 % are applied by the server."""
    assert len(warn_of(read_sampling({"regex_config": [_rule("request.verb", "GET", 25)]}))) == 1
    assert warn_of(read_sampling({"regex_config": [RULE]})) == []


RATES = st.dictionaries(st.text(max_size=5), st.integers(0, 100), max_size=4)


@given(st.integers(0, 100), RATES, RATES)
def test_a_policy_survives_being_stored(
    rate: int, users: dict[str, int], companies: dict[str, int]
) -> None:
    """Law: what is written reads back as the same policy."""
    document = {"sample_rate": rate, "user_sample_rate": users, "company_sample_rate": companies}
    policy = read_sampling(document)
    assert read_sampling(msgspec.json.decode(msgspec.json.encode(policy))) == policy
