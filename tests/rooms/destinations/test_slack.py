"""Slack by its public contract: what we post, and what we make of each of its answers."""

from collections.abc import AsyncIterator

import pytest

from headwater.base.egress import Egress
from headwater.base.errors import InvalidInputError
from headwater.destinations import Outcome, check_settings, find_destination
from headwater.model import Message
from tests.support.destinations import deliver_to
from tests.support.messages import a_message
from tests.support.vendor import Contract
from tests.support.webhook import Receiver, run_receiver

CONTRACT = Contract.of("slack", "webhook")
PATH = CONTRACT.facts["path"]


@pytest.fixture
async def slack() -> AsyncIterator[Receiver]:
    async with run_receiver() as running:
        running.always = CONTRACT.answer("taken")
        yield running


async def deliver(slack: Receiver, *messages: Message) -> list[Outcome]:
    return await deliver_to("slack", {"webhook_url": f"{slack.url}{PATH}"}, list(messages))


def track(event: str = "Signed Up") -> Message:
    return a_message(type="track", event=event)


async def test_a_track_is_a_text(slack: Receiver) -> None:
    """An identify is none, unless somebody maps it."""
    found = await deliver(slack, track(), a_message("m-2"))
    assert [one.fate for one in found] == ["delivered"]
    (received,) = slack.received
    assert CONTRACT.check(received) == {"text": "*Signed Up* by u-1"}


async def test_what_users_wrote_mentions_nobody(slack: Receiver) -> None:
    """Nor can it link somewhere else, or be longer than a message should be."""
    await deliver(slack, track("<!channel> & <https://evil.example|here>"), track("x" * 9_000))
    first, second = (CONTRACT.check(received)["text"] for received in slack.received)
    assert first.startswith("*&lt;!channel&gt; &amp; &lt;https://evil.example|here&gt;*")
    assert len(second) == 4_000


@pytest.mark.parametrize(
    ("name", "fate"),
    [
        ("invalid payload", "dead"),
        ("forbidden", "retry"),
        ("no such webhook", "retry"),
        ("archived", "dead"),
        ("too many", "retry"),
        ("fault", "retry"),
    ],
)
async def test_each_answer_means_what_the_contract_says(
    slack: Receiver, name: str, fate: str
) -> None:
    """What a person can mend at Slack costs no message; the URL, which is a key, is not shown."""
    slack.plan(CONTRACT.answer(name))
    (outcome,) = await deliver(slack, track())
    assert outcome.fate == fate
    assert outcome.retry_after_s == (7.0 if name == "too many" else None)
    assert "planted" not in str(outcome)


def test_settings_that_cannot_be_are_refused() -> None:
    """With the field that is wrong."""
    for settings in ({}, {"webhook_url": "https://hooks.slack.com/"}):
        with pytest.raises(InvalidInputError) as caught:
            check_settings(find_destination("slack"), settings, Egress())
        assert caught.value.field == "webhook_url"
