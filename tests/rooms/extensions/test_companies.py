"""What is newly said of a company reaches the endpoint through its users, once."""

import pytest

from headwater.extensions.connections import save_connection
from headwater.extensions.segment.settings import SegmentSettings
from tests.rooms.extensions.room import KEY, NOW, YESTERDAY, Room, messages, users
from tests.rooms.profiles.history import Call
from tests.support.webhook import Receiver

PRO = {"metadata": {"plan": "pro"}}


def choose(room: Room, receiver: Receiver, version: str, without: tuple[str, ...] = ()) -> None:
    settings = SegmentSettings(
        endpoint=receiver.url, payload_version=version, groups=version == "current", without=without
    )
    with room.configdb.transaction() as connection:
        save_connection(connection, room.vault, room.clock, room.app.id, "segment", settings, KEY)


async def settle(room: Room, receiver: Receiver) -> None:
    """Two users of acme, by a call and by a profile, one of another company; all sent."""
    await room.store_calls(
        Call(user_id="ann", company_id="acme", time=YESTERDAY),
        Call(user_id="cy", company_id="other", time=YESTERDAY),
    )
    await room.store_profile("bob", {"metadata": {}}, company_id="acme")
    await room.store_profile("acme", {"metadata": {"plan": "free"}}, kind="company")
    await room.sync()
    receiver.received.clear()


async def test_a_company_that_changed_makes_its_users_due(room: Room, receiver: Receiver) -> None:
    """Its group call and its users' identify calls say it; nobody else's, and not twice."""
    choose(room, receiver, "current")
    await settle(room, receiver)
    await room.store_profile("acme", PRO, kind="company", time=NOW)
    assert {m["userId"] for m in await room.preview()} == {"ann", "bob"}
    await room.sync()
    found = [(m["type"], m["userId"]) for m in messages(receiver)]
    assert sorted(found) == [("group", "ann"), ("identify", "ann"), ("identify", "bob")]
    for message in messages(receiver):
        traits = message["traits"]
        assert (traits if message["type"] == "group" else traits["company"])["metadata"] == {
            "plan": "pro"
        }
    await room.sync()
    await room.sync(full=True)
    assert len(messages(receiver)) == 3


async def test_saying_the_same_again_sends_nothing(room: Room, receiver: Receiver) -> None:
    """Clients repeat what they know with every session; a company's calls are no change either."""
    choose(room, receiver, "current")
    await settle(room, receiver)
    await room.store_profile("acme", {"metadata": {"plan": "free"}}, kind="company", time=NOW)
    await room.sync()
    assert messages(receiver) == []
    await room.store_calls(Call(user_id="dan", company_id="acme", time=NOW))
    await room.sync()
    assert {m["userId"] for m in messages(receiver)} == {"dan"}


@pytest.mark.parametrize(("version", "without"), [("2019", ()), ("current", ("company",))])
async def test_nobody_is_due_where_companies_are_not_told(
    room: Room, receiver: Receiver, version: str, without: tuple[str, ...]
) -> None:
    """A payload that holds the company's id alone does not change with the company."""
    choose(room, receiver, version, without)
    await settle(room, receiver)
    await room.store_profile("acme", PRO, kind="company", time=NOW)
    await room.sync()
    assert users(receiver) == []


async def test_users_of_a_company_come_in_pages(room: Room) -> None:
    """In the order of all who are due, each once, beside those who changed themselves."""
    await room.store_calls(
        *(Call(user_id=f"u{n}", company_id="acme", time=YESTERDAY) for n in range(6))
    )
    await room.store_profile("acme", PRO, kind="company")
    before = room.offset
    await room.store_profile("acme", {"metadata": {"plan": "max"}}, kind="company", time=NOW)
    await room.store_profile("u2", PRO)
    await room.store_profile("w", PRO)
    changed = await room.profiles.changed_companies(room.app.id, after=before)
    assert changed == ["acme"]
    found = [""]
    pages = []
    while found:
        found = await room.profiles.touched_users(
            room.app.id, after=before, active=None, companies=changed, above=found[-1], limit=3
        )
        pages.append(found)
    assert pages == [["u0", "u1", "u2"], ["u3", "u4", "u5"], ["w"], []]
