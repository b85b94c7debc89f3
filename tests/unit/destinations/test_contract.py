"""What an answer means, and what a webhook's settings must be."""

import msgspec
import pytest

from headwater.base.egress import Egress, EgressRefusedError, Reply, UnreachableError
from headwater.base.errors import InvalidInputError
from headwater.destinations import (
    DESTINATIONS,
    check_settings,
    default_mappings,
    find_destination,
    judge_error,
    judge_reply,
    read_mappings,
)

URL = {"url": "https://hooks.example.com/in"}


@pytest.mark.parametrize(
    ("status", "fate"),
    [
        (200, "delivered"),
        (204, "delivered"),
        (299, "delivered"),
        (408, "retry"),
        (425, "retry"),
        (429, "retry"),
        (500, "retry"),
        (503, "retry"),
        (599, "retry"),
        (301, "dead"),
        (302, "dead"),
        (304, "dead"),
        (400, "dead"),
        (401, "dead"),
        (404, "dead"),
        (410, "dead"),
        (422, "dead"),
    ],
)
def test_a_status_decides_about_a_second_try(status: int, fate: str) -> None:
    """2xx is done; what may pass is tried again; a redirect is not followed and not success."""
    outcome = judge_reply(Reply(status=status, headers={}, body=b"why\xff"))
    assert (outcome.fate, outcome.status) == (fate, status)
    assert (outcome.error == "") == (fate == "delivered")


@pytest.mark.parametrize(
    ("header", "wait_s"), [("7", 7.0), ("0", 1.0), ("999999", 86_400.0), ("soon", None), ("", None)]
)
def test_the_wait_that_was_asked_for_is_kept_within_a_day(header: str, wait_s: float) -> None:
    """`Retry-After` counts in whole seconds, between one second and a day."""
    outcome = judge_reply(Reply(status=429, headers={"retry-after": header}, body=b""))
    assert outcome.retry_after_s == wait_s


def test_only_the_beginning_of_an_answer_is_kept() -> None:
    """A failure keeps a sample, not the whole page."""
    outcome = judge_reply(Reply(status=400, headers={}, body=b"x" * 60_000))
    assert 500 <= len(outcome.error) < 600


def test_an_error_carries_its_own_fate() -> None:
    """No answer may pass; a forbidden target does not."""
    away = judge_error(UnreachableError("no answer", kind="ETIMEDOUT"))
    assert (away.fate, away.code, away.status) == ("retry", "ETIMEDOUT", None)
    shut = judge_error(EgressRefusedError("no"))
    assert (shut.fate, shut.code) == ("dead", "EGRESS_REFUSED")


def test_a_webhook_makes_its_secret_when_none_is_given() -> None:
    """Each instance has its own, in the form of Standard Webhooks."""
    webhook = find_destination("webhook")
    first, second = (check_settings(webhook, URL, Egress()) for _ in range(2))
    assert first["secret"].startswith("whsec_")
    assert first["secret"] != second["secret"]
    assert webhook.batch_size(first, "send") == 1
    own = check_settings(webhook, {**URL, "secret": "my own secret"}, Egress())
    assert own["secret"] == "my own secret"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, "url"),
        ({"url": ""}, "url"),
        ({**URL, "urll": "x"}, "urll"),
        ({**URL, "secret": "short"}, "secret"),
        ({**URL, "secret": "geheimer schlüssel"}, "secret"),
        ({**URL, "secret": "whsec_!"}, "secret"),
        ({**URL, "secret": "whsec_A"}, "secret"),
        ({**URL, "batch_size": "0"}, "batch_size"),
        ({**URL, "batch_size": "4001"}, "batch_size"),
        ({**URL, "batch_size": "²"}, "batch_size"),
        ({**URL, "batch_size": "many"}, "batch_size"),
    ],
)
def test_a_wrong_setting_is_named(values: dict[str, str], field: str) -> None:
    """The error says which field, before anything is stored."""
    with pytest.raises(InvalidInputError) as caught:
        check_settings(find_destination("webhook"), values, Egress())
    assert caught.value.field == field


def test_a_private_url_is_refused_on_adding() -> None:
    """Long before the first delivery."""
    with pytest.raises(EgressRefusedError, match="HEADWATER_EGRESS__ALLOW") as caught:
        check_settings(find_destination("webhook"), {"url": "http://169.254.169.254/"}, Egress())
    assert caught.value.field == "url"


def test_each_type_says_what_it_needs() -> None:
    """The catalogue is complete: titles and help for people, distinct names for programs."""
    declared = [destination.declaration for destination in DESTINATIONS]
    assert len({one.type for one in declared}) == len(declared)
    for one in declared:
        assert one.title
        assert one.description
        assert one.actions
        assert all(setting.title and setting.help for setting in one.settings)
        assert all((setting.kind == "choice") == bool(setting.choices) for setting in one.settings)
        assert read_mappings(msgspec.to_builtins(default_mappings(one.actions)), one.actions)
    with pytest.raises(InvalidInputError, match="carrier-pigeon"):
        find_destination("carrier-pigeon")
