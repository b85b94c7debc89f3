"""Every row of the reference table arrives on the wire, in both generations of the payload.

Stored calls and updates go in, and the recorded request is compared whole: a name that is missing,
misspelt or of another type fails.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from headwater import __version__
from tests.rooms.extensions.room import NOW, Room, messages
from tests.rooms.profiles.history import Call
from tests.support.webhook import Receiver

SIGNED_UP = "2026-11-01T08:00:00.000Z"
FIRST = datetime(2026, 11, 1, 8, 5, 6, tzinfo=UTC)
FAILED = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)
LAST = datetime(2026, 11, 23, 9, 59, 30, 250_000, tzinfo=UTC)

SHARED_TRAITS: dict[str, Any] = {
    "id": "12345",
    "name": "Ada Byron",
    "email": "ada@acme.example",
    "username": "adab",
    "createdAt": SIGNED_UP,
    "firstSeenTime": "2026-11-01T08:05:06.000Z",
    "lastSeenTime": "2026-11-23T09:59:30.250Z",
    "modifiedTime": "2026-11-22T12:00:00.000Z",
}
YESTERDAYS_NUMBERS: dict[str, Any] = {
    "date": "2026-11-22",
    "totalCalls": 1,
    "successfulCalls": 0,
    "clientErrors": 1,
    "serverErrors": 0,
    "errorRate": 1.0,
    "blockedCalls": 0,
    "latencyMs": {"p50": 12.5, "p90": 12.5, "p99": 12.5, "mean": 12.5},
    "requestBytes": 0,
    "responseBytes": 0,
    "activeHours": 1,
    "distinctEndpoints": 1,
    "topEndpoints": [{"verb": "POST", "route": "/orders", "calls": 1, "errors": 1, "p90Ms": 12.5}],
    "topErrors": [{"verb": "POST", "route": "/orders", "status": 404, "calls": 1}],
    "clients": [],
    "firstCallAt": "2026-11-22T23:00:00.000Z",
    "lastCallAt": "2026-11-22T23:00:00.000Z",
    "callsPrevious7Days": 1,
    "daysActiveLast28": 2,
}
ROLLING_NUMBERS: dict[str, Any] = {
    "from": "2026-11-22T10:00:00.000Z",
    "to": "2026-11-23T10:00:00.000Z",
    "totalCalls": 11,
    "successfulCalls": 10,
    "clientErrors": 1,
    "serverErrors": 0,
    "errorRate": 0.0909,
    "blockedCalls": 0,
    "latencyMs": {"p50": 3.5, "p90": 3.5, "p99": 12.5, "mean": 4.3},
    "requestBytes": 200,
    "responseBytes": 3_000,
    "activeHours": 2,
    "distinctEndpoints": 2,
    "topEndpoints": [
        {"verb": "GET", "route": "/items/:id", "calls": 10, "errors": 0, "p90Ms": 3.5},
        {"verb": "POST", "route": "/orders", "calls": 1, "errors": 1, "p90Ms": 12.5},
    ],
    "topErrors": [{"verb": "POST", "route": "/orders", "status": 404, "calls": 1}],
    "clients": [{"name": "acme-sdk", "version": "2.1", "calls": 10}],
    "firstCallAt": "2026-11-22T23:00:00.000Z",
    "lastCallAt": "2026-11-23T09:59:30.250Z",
    "callsPrevious7Days": 11,
    "daysActiveLast28": 3,
    "sampled": True,
}
COMPANY: dict[str, Any] = {
    "id": "67890",
    "created": "2026-10-30T00:00:00.000Z",
    "modifiedTime": "2026-10-30T00:00:00.000Z",
    "firstSeenTime": "2026-11-01T08:05:06.000Z",
    "lastSeenTime": "2026-11-23T09:59:30.250Z",
    "ipAddress": "203.0.113.7",
    "companyDomain": "acme.example",
    "ttfhw_s": 2 * 86_400 + 8 * 3_600 + 5 * 60 + 6,
    "metadata": {"plan": "scale", "seats": 40},
}


async def store_ada(room: Room) -> None:
    who: dict[str, Any] = {"user_id": "12345", "company_id": "67890"}
    await room.store_calls(
        Call(time=FIRST, ip_address="203.0.113.1", user_agent="old/1", **who),
        Call(time=FAILED, verb="POST", route="/orders", status=404, **who),
        Call(
            time=LAST, weight=10, duration_ms=3.5, request_bytes=20, response_bytes=300,
            client_name="acme-sdk", client_version="2.1", ip_address="203.0.113.7",
            user_agent="acme-sdk/2.1", **who,
        ),
    )  # fmt: skip
    signed_up = {"metadata": {"username": "adab", "locale": "de-DE"}}
    await room.store_profile("12345", signed_up, time=datetime(2026, 11, 1, 8, tzinfo=UTC))
    known = {"metadata": {"email": "ada@acme.example", "first_name": "Ada", "last_name": "Byron"}}
    touch = {"campaign": {"utm_source": "newsletter", "utm_medium": "email", "gclid": None}}
    await room.store_profile("12345", known | touch, company_id="67890")
    await room.store_profile(
        "67890",
        {"company_domain": "acme.example", "metadata": {"plan": "scale", "seats": 40}},
        kind="company",
        time=datetime(2026, 10, 30, tzinfo=UTC),
    )


async def received(room: Room, receiver: Receiver) -> dict[str, Any]:
    await store_ada(room)
    await room.sync()
    (message,) = messages(receiver)
    return message


async def test_the_current_generation_on_the_wire(room: Room, receiver: Receiver) -> None:
    """The ten traits, the company as an object, and the five of the later page."""
    message = await received(room, receiver)
    id_ = message.pop("messageId")
    assert id_.startswith("hw-")
    assert message == {
        "type": "identify",
        "userId": "12345",
        "timestamp": "2026-11-23T10:00:00.000Z",
        "context": {
            "ip": "203.0.113.7",
            "userAgent": "acme-sdk/2.1",
            "locale": "de-DE",
            "campaign": {"source": "newsletter", "medium": "email"},
            "library": {"name": "headwater", "version": __version__},
        },
        "traits": {
            **SHARED_TRAITS,
            "company": COMPANY,
            "campaign": {"utmSource": "newsletter", "utmMedium": "email"},
            "metadata": {
                "username": "adab",
                "locale": "de-DE",
                "email": "ada@acme.example",
                "first_name": "Ada",
                "last_name": "Byron",
            },
            "userAgent": "acme-sdk/2.1",
            "dailyAggregation": YESTERDAYS_NUMBERS,
            "last24HourAggResults": ROLLING_NUMBERS,
        },
    }


async def test_the_generation_of_2019_on_the_wire(room: Room, receiver: Receiver) -> None:
    """The ten traits of the first page, and nothing else."""
    room.connect(receiver.url, version="2019")
    message = await received(room, receiver)
    assert message["traits"] == {
        **SHARED_TRAITS,
        "company": "67890",
        "dailyAggregation": YESTERDAYS_NUMBERS,
    }


async def test_the_envelope_is_that_of_a_batch(room: Room, receiver: Receiver) -> None:
    """`sentAt` is on the envelope, the content type is JSON, the path is the batch path."""
    await received(room, receiver)
    (request,) = receiver.received
    assert set(request.json) == {"batch", "sentAt"}
    assert request.json["sentAt"] == "2026-11-23T10:00:00.000Z"
    assert request.headers["content-type"] == "application/json"
    assert request.path == "/v1/batch"


async def test_the_day_is_that_of_the_apps_zone(room: Room, receiver: Receiver) -> None:
    """In Kathmandu the call of 23:00 UTC belongs to the 23rd, which is not over yet."""
    room.app = msgspec.structs.replace(room.app, timezone="Asia/Kathmandu")
    traits = (await received(room, receiver))["traits"]
    assert (traits["dailyAggregation"]["date"], traits["dailyAggregation"]["totalCalls"]) == (
        "2026-11-22",
        0,
    )
    room.clock.move(timedelta(hours=9))
    assert room.clock.now() > NOW
    await room.sync()
    numbers = messages(receiver)[-1]["traits"]["dailyAggregation"]
    assert (numbers["date"], numbers["totalCalls"]) == ("2026-11-23", 11)
