"""Which calls an app's rules leave out."""

from typing import Any

import pytest

from headwater.collector.config import NOBODYS, Publisher, publish
from headwater.collector.drop_rules import DropRules
from headwater.workspace import App, SamplingPolicy, read_sampling
from tests.support.calls import NOON, make_call

HEALTH = {"path": "request.route", "value": "^/health(/|$)"}
ROBOT = {"path": "request.ip_address", "value": "^192\\.0\\.2\\."}


def _rules(*rules: tuple[list[dict[str, str]], int], **more: Any) -> DropRules:
    regex_config = [{"conditions": given, "sample_rate": rate} for given, rate in rules]
    return DropRules(read_sampling({"regex_config": regex_config, **more}))


CASES: list[tuple[DropRules, dict[str, Any], bool]] = [
    (_rules(), {}, False),
    (_rules(([HEALTH], 0)), {"uri": "https://a.example/health/live?x=1"}, True),
    (_rules(([HEALTH], 0)), {"uri": "/health"}, True),
    (_rules(([HEALTH], 0)), {"uri": "/items/health"}, False),
    (_rules(([HEALTH], 0)), {"uri": "/items?next=/health"}, False),
    (_rules(([HEALTH], 0)), {"uri": "http://[/health"}, False),
    (_rules(([HEALTH], 25)), {"uri": "/health"}, False),
    (_rules(([HEALTH, ROBOT], 0)), {"uri": "/health"}, True),
    (_rules(([HEALTH, ROBOT], 0)), {"uri": "/health", "ip_address": "203.0.113.7"}, False),
    (_rules(([ROBOT], 50), ([HEALTH], 0)), {"uri": "/health"}, False),
    (_rules(([HEALTH], 0), ([ROBOT], 50)), {"uri": "/health"}, True),
    (_rules(([{"path": "request.verb", "value": "^OPTIONS$"}], 0)), {"verb": "OPTIONS"}, True),
    (_rules(([{"path": "response.status", "value": "^5"}], 0)), {"status": 503}, True),
    (_rules(([{"path": "response.status", "value": "0"}], 0)), {"status": 0}, False),
    (_rules(([HEALTH], 0), user_sample_rate={"user_1": 10}), {"uri": "/health"}, False),
    (_rules(([HEALTH], 0), company_sample_rate={"company_1": 0}), {"uri": "/health"}, False),
    (_rules(([HEALTH], 0), user_sample_rate={"user_2": 10}), {"uri": "/health"}, True),
    (_rules(sample_rate=0, user_sample_rate={"user_1": 0}), {}, False),
]


@pytest.mark.parametrize(("rules", "facts", "dropped"), CASES, ids=range(len(CASES)))
def test_the_first_rule_that_fits_decides(
    rules: DropRules, facts: dict[str, Any], dropped: bool
) -> None:
    """Only rules of 0 % drop; a rate of the user's or company's own goes before them."""
    assert rules.drop(make_call(**facts)) is dropped


def _app(policy: SamplingPolicy, id_: str = "app_1") -> App:
    return App(id=id_, name=id_, timezone="UTC", created_at=NOON, sampling=policy)


def test_documents_are_made_anew_only_when_the_policy_changes() -> None:
    """The same content has the same tag, and every app its own."""
    publisher = Publisher()
    first = publisher.of(_app(SamplingPolicy()))
    assert publisher.of(_app(read_sampling({}))) is first
    changed = publisher.of(_app(SamplingPolicy(sample_rate=50)))
    assert changed.tags[0] != first.tags[0]
    assert changed.tags[1] == first.tags[1]
    assert publisher.of(_app(SamplingPolicy(), "app_2")).tags != first.tags
    assert publisher.of(_app(SamplingPolicy())).tags == first.tags
    assert NOBODYS.tags != first.tags
    assert publish("app_1", SamplingPolicy()).config == first.config
