"""Profiles as large as can be: each message arrives within what receivers take, and marked."""

from typing import Any

import msgspec

from headwater.extensions.connections import save_connection
from headwater.extensions.segment.milestones import FIRST_SUCCESS
from headwater.extensions.segment.settings import SegmentSettings
from headwater.extensions.segment.trim import MOST_BYTES
from tests.rooms.extensions.room import KEY, YESTERDAY, Room, messages
from tests.rooms.profiles.history import Call
from tests.support.webhook import Receiver

USERS = 20
LONG = "本é🌍" * 900
"""8,100 bytes: the most that a profile keeps of one value is 8,192."""
LARGE: dict[str, Any] = {
    "metadata": {
        "email": "ann@example.com",
        "name": LONG,
        "username": LONG,
        "location": {f"line_{n}": LONG for n in range(6)},
        **{f"note_{n}": LONG for n in range(6)},
    },
    "campaign": {"utm_source": LONG[:2_000]},
}
LARGE_COMPANY = {"metadata": {f"note_{n}": LONG for n in range(6)}, "company_domain": LONG}


def connect(room: Room, receiver: Receiver) -> None:
    settings = SegmentSettings(endpoint=receiver.url, groups=True, milestones=(FIRST_SUCCESS,))
    with room.configdb.transaction() as connection:
        save_connection(connection, room.vault, room.clock, room.app.id, "segment", settings, KEY)


async def test_the_largest_profiles_arrive_trimmed_and_say_so(
    unconnected: Room, receiver: Receiver
) -> None:
    """Identify, group and track: none is lost, none too large, no value is cut within."""
    room = unconnected
    connect(room, receiver)
    agent = "acme/1.0 " + LONG
    ids = [f"ann-{n}" for n in range(USERS)]
    await room.store_calls(
        *(Call(user_id=id_, company_id="acme", time=YESTERDAY, user_agent=agent) for id_ in ids)
    )
    for id_ in ids:
        await room.store_profile(id_, LARGE)
    await room.store_profile("acme", LARGE_COMPANY, kind="company")

    result = await room.sync()

    found = messages(receiver)
    assert (result.delivered, result.failed, len(found)) == (2 * USERS + 1, 0, 2 * USERS + 1)
    assert all(len(request.body) <= 500_000 for request in receiver.received)
    for message in found:
        assert len(msgspec.json.encode(message)) <= MOST_BYTES
        assert message["context"]["trimmed"]
    told = {message["type"]: message for message in found}
    assert told["identify"]["traits"]["email"] == "ann@example.com"
    assert told["identify"]["traits"]["name"] == LONG
    assert told["identify"]["context"]["trimmed"][-2:] == ["userAgent", "context.userAgent"]
    assert told["group"]["traits"]["companyDomain"] == LONG
    assert told["group"]["context"]["trimmed"] == ["metadata"]
    assert "location" not in told["track"]["context"]
