"""What API analytics asks of a Collector API, and what it leaves alone.

`tests/story/test_without_segment.py` sends to a real one.
"""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from headwater.base.clock import SystemClock
from headwater.base.egress import Egress
from headwater.base.errors import InvalidInputError
from headwater.destinations import Outcome, Parcel, Wire, check_settings, find_destination
from headwater.model import Message
from tests.support.destinations import deliver_to, items_of
from tests.support.messages import a_message
from tests.support.webhook import Receiver, run_receiver

TYPE = "api-analytics"
KEY = "planted-application-id"
AT = "2026-11-23T12:00:00.000Z"
OURS = {"library": {"name": "headwater", "version": "1"}}


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with run_receiver() as running:
        yield running


async def deliver(receiver: Receiver, *messages: Message) -> list[Outcome]:
    """Send as a new destination would, with its default mappings."""
    settings = {"application_id": KEY, "url": receiver.url}
    return await deliver_to(TYPE, settings, list(messages))


def said(receiver: Receiver) -> dict[str, Any]:
    base = receiver.received[0].path.partition("/v1/")[0]
    return {request.path.removeprefix(base): request.json for request in receiver.received}


async def test_an_identify_describes_a_user(receiver: Receiver) -> None:
    """Traits as metadata, the company, the campaign, and when it was said."""
    message = a_message(
        timestamp=AT,
        anonymousId="a-1",
        traits={"plan": "pro", "company": {"id": "acme"}},
        context={"ip": "203.0.113.7", "campaign": {"name": "spring", "source": "news"}},
    )
    (outcome,) = await deliver(receiver, message)
    assert outcome.fate == "delivered"
    assert said(receiver) == {
        "/v1/users/batch": [
            {
                "user_id": "u-1", "anonymous_id": "a-1", "company_id": "acme",
                "modified_time": AT, "metadata": message.body["traits"],
                "campaign": {"utm_campaign": "spring", "utm_source": "news"},
                "ip_address": "203.0.113.7",
            }
        ]
    }  # fmt: skip
    assert receiver.received[0].headers["x-moesif-application-id"] == KEY


async def test_a_group_describes_a_company_and_its_member(receiver: Receiver) -> None:
    """First the company, then whose it is."""
    message = a_message(
        type="group", groupId="acme", timestamp=AT, traits={"website": "acme.example"}
    )
    await deliver(receiver, message)
    assert said(receiver) == {
        "/v1/companies/batch": [
            {
                "company_id": "acme", "company_domain": "acme.example", "modified_time": AT,
                "metadata": {"website": "acme.example"},
            }
        ],
        "/v1/users/batch": [{"user_id": "u-1", "company_id": "acme", "modified_time": AT}],
    }  # fmt: skip


async def test_a_track_is_an_action_known_by_its_message(receiver: Receiver) -> None:
    """Sent again it is the same one; where it happened and from where is said if it is known."""
    url = "https://app.example/keys"
    context = {"page": {"url": url}, "ip": "203.0.113.7"}
    track = a_message(type="track", event="Made Key", timestamp=AT, context=context)
    for _ in range(2):
        await deliver(receiver, track)
    first, second = (request.json for request in receiver.received)
    assert first == second
    assert first[0]["transaction_id"] == "m-1:map_action"
    assert first[0]["request"] == {
        "time": AT, "uri": url, "ip_address": "203.0.113.7",
    }  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        {"context": OURS},
        {"type": "group", "groupId": "acme", "context": OURS},
        {"type": "track", "event": "First Successful API Call", "context": OURS},
    ],
)
async def test_what_headwater_sent_never_comes_back(
    receiver: Receiver, body: dict[str, Any]
) -> None:
    """No default mapping is for it; a mapping that a person made for it gets nowhere either."""
    message = a_message(**body)
    assert items_of(TYPE, [message]) == []
    plain = msgspec.structs.replace(message, body={**message.body, "context": {}})
    (item,) = items_of(TYPE, [plain])
    forced = msgspec.structs.replace(item, message=message)
    egress = Egress("127.0.0.0/8")
    parcel = Parcel(action=item.action, items=[forced, item], sent_at=SystemClock().now())
    values = {"application_id": KEY, "url": receiver.url}
    found = await find_destination(TYPE).deliver(Wire(egress, 5), values, parcel)
    await egress.close()
    assert [outcome.fate for outcome in found] == ["dead", "delivered"]
    assert "Headwater itself" in found[0].error
    assert all(len(request.json) == 1 for request in receiver.received)


async def test_what_is_not_taken_is_tried_again_whole(receiver: Receiver) -> None:
    """A company that is in and a link that is not: both come again, and merge."""
    receiver.plan(201, 503)
    (outcome,) = await deliver(receiver, a_message(type="group", groupId="acme"))
    assert (outcome.fate, outcome.status) == ("retry", 503)
    receiver.plan(401)
    (outcome,) = await deliver(receiver, a_message())
    assert (outcome.fate, outcome.status) == ("dead", 401)
    assert all(KEY not in str(exchange) for exchange in outcome.exchanges)


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({}, "application_id"),
        ({"application_id": "caf\u00e9"}, "application_id"),
        ({"application_id": KEY, "url": "https://headwater.example.com/?a=1"}, "url"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, str], field: str) -> None:
    """With the name of the field."""
    with pytest.raises(InvalidInputError) as caught:
        check_settings(find_destination(TYPE), settings, Egress())
    assert caught.value.field == field
