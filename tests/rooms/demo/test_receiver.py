"""The tool at the end of the demo's webhook: takes what is signed, refuses the rest, shows both."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import aiohttp
import msgspec
import pytest
from standardwebhooks import Webhook

from headwater.base.errors import ConflictError
from headwater.demo import WebhookReceiver

SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookReceiver]:
    async with WebhookReceiver(SECRET) as opened:
        yield opened


async def _post(receiver: WebhookReceiver, body: bytes, secret: str) -> int:
    at = datetime.now(UTC)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", at, body.decode()),
    }
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{receiver.url}/hook", data=body, headers=headers) as reply,
    ):
        return reply.status


async def _page(receiver: WebhookReceiver) -> str:
    async with aiohttp.ClientSession() as session, session.get(receiver.url) as reply:
        return await reply.text()


async def test_signed_messages_are_taken_and_shown(receiver: WebhookReceiver) -> None:
    """One object or a batch; what they say is shown as text, never as markup."""
    one = {"type": "identify", "userId": "<b>ana</b>"}

    assert await _post(receiver, msgspec.json.encode(one), SECRET) == 200
    assert await _post(receiver, msgspec.json.encode([one, one]), SECRET) == 200

    page = await _page(receiver)
    assert "3 messages received, 0 refused" in page
    assert "&lt;b&gt;ana" in page
    assert "<b>" not in page


async def test_a_wrong_signature_is_refused(receiver: WebhookReceiver) -> None:
    """And counted."""
    status = await _post(receiver, b"{}", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")

    assert status == 401
    assert "0 messages received, 1 refused" in await _page(receiver)


async def test_a_signed_body_that_is_no_json_is_refused(receiver: WebhookReceiver) -> None:
    """The sender hears that it is its fault."""
    assert await _post(receiver, b"not json", SECRET) == 400


async def test_a_taken_port_is_told(receiver: WebhookReceiver) -> None:
    """The destination points at this port: another one would not do."""
    with pytest.raises(ConflictError, match=str(receiver.port)):
        async with WebhookReceiver(SECRET, receiver.port):
            pass
