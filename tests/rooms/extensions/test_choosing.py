"""Whom a connection sends: its audience, and never those who are suppressed, whatever waits."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from headwater.base.errors import ConflictError
from headwater.eventstore import EventStore
from headwater.extensions import Condition
from headwater.extensions.audience import read_condition
from headwater.extensions.contract import Item
from headwater.extensions.people import People
from headwater.extensions.segment import Segment
from headwater.extensions.segment.settings import SegmentSettings
from headwater.workspace import allow_user, suppress_user
from tests.rooms.extensions.room import NOW, YESTERDAY, Room, messages, users
from tests.rooms.profiles.history import Call
from tests.support.webhook import Answer, Receiver


async def choose(room: Room, *conditions: str) -> None:
    wanted: list[Condition] = [read_condition(text) for text in conditions]
    await room.extensions.choose(room.app, "segment", wanted)


async def test_only_the_audience_is_sent(room: Room, receiver: Receiver) -> None:
    """By profile, by company, by activity; the preview says the same."""
    await room.store_users("ann", "bo")
    await room.store_profile("ann", {"metadata": {"plan": "pro"}})
    await room.store_profile("bo", {"metadata": {"plan": "pro"}}, company_id="acme")
    await room.store_profile("acme", {"metadata": {"tier": "gold"}}, kind="company")
    await room.store_profile("cy", {"metadata": {"plan": "pro"}}, company_id="acme")
    await choose(room, "metadata.plan is pro", "company.metadata.tier is gold", "calls at_least 1")
    assert [message["userId"] for message in await room.preview()] == ["bo"]
    await room.sync()
    assert users(receiver) == ["bo"]


async def test_a_wider_audience_gets_those_who_did_not_change(
    room: Room, receiver: Receiver
) -> None:
    """And nobody who was sent is sent again."""
    await room.store_users("ann", "bo")
    await choose(room, "id is ann")
    await room.sync()
    await choose(room)
    await room.sync()
    assert users(receiver) == ["ann", "bo"]


async def test_a_suppressed_user_is_not_sent(room: Room, receiver: Receiver) -> None:
    """By no sync, test or backfill, however much changes."""
    await room.store_users("ann", "bo")
    await room.extensions.suppress(room.app, "ann")
    await room.sync(full=True)
    await room.store_profile("ann", {"metadata": {"plan": "pro"}})
    await room.sync()
    await room.extensions.backfill(room.app, "segment", "2026-11-22", "2026-11-22")
    while await room.extensions.step():
        pass
    with pytest.raises(ConflictError):
        await room.extensions.test(room.app, "segment", "ann")
    with pytest.raises(ConflictError):
        await room.preview("ann")
    assert set(users(receiver)) == {"bo"}


async def test_what_waits_of_a_suppressed_user_is_dropped(room: Room, receiver: Receiver) -> None:
    """Out of the middle of a batch, and out of the dead; the others are sent."""
    everybody = [f"user-{n}" for n in range(5)]
    await room.store_users(*everybody)
    receiver.always = Answer(503)
    await room.sync()
    receiver.plan(400)
    assert await room.states() == {"due": 5}
    await room.extensions.suppress(room.app, "user-2")
    assert await room.states() == {"due": 4}
    receiver.planned.clear()
    receiver.received.clear()
    receiver.always = None
    await room.sync()
    assert users(receiver) == [one for one in everybody if one != "user-2"]
    dump = "\n".join(
        str(row)
        for table in ("outbox_batches", "outbox_windows", "outbox_dead", "suppressed_users")
        for row in room.rows(table)
    )
    assert "user-2" not in dump


async def test_a_refused_message_of_a_suppressed_user_cannot_be_resent(
    room: Room, receiver: Receiver
) -> None:
    """It is gone with its words."""
    await room.store_users("ann")
    receiver.plan(400)
    await room.sync()
    assert await room.states() == {"dead": 1}
    await room.extensions.suppress(room.app, "ann")
    assert await room.extensions.resend(room.app, "segment") == 0
    assert await room.states() == {}


async def test_an_allowed_user_is_sent_again_from_the_next_change(
    room: Room, receiver: Receiver
) -> None:
    """With the present state."""
    await room.store_users("ann")
    await room.extensions.suppress(room.app, "ann")
    await room.sync()
    await room.configdb.run(allow_user, room.vault, room.app.id, "ann")
    await room.store_users("ann")
    await room.sync()
    assert users(receiver) == ["ann"]


async def test_suppressed_while_a_run_is_on_its_way(
    store: EventStore, tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Composed before, put after: the transaction that puts asks once more."""
    room = Room(store, tmp_path)
    room.connect(receiver.url)
    await room.store_users("ann", "bo")
    compose = Segment.compose

    def meanwhile(self: Segment, settings: SegmentSettings, people: People) -> Sequence[Item]:
        items = compose(self, settings, people)
        with room.configdb.transaction() as connection:
            suppress_user(connection, room.vault, room.clock, room.app.id, "ann")
        return items

    monkeypatch.setattr(Segment, "compose", meanwhile)
    await room.sync()
    assert [message["userId"] for message in messages(receiver)] == ["bo"]
    await room.close()


@pytest.mark.parametrize(
    ("conditions", "chosen"),
    [
        (["used./orders within_days 3"], ["ann"]),
        (["used./orders within_days 30"], ["ann", "bo"]),
        (["used./orders not_within_days 3"], ["bo", "cy"]),
        (["used./orders within_days 30", "used./orders not_within_days 3"], ["bo"]),
        (["used./items not_within_days 30", "used./orders within_days 30"], ["ann"]),
        (["used./nothing within_days 300"], []),
        (["lifecycle is dormant"], ["cy"]),
        (["lifecycle is_not dormant", "used./items within_days 9"], ["bo"]),
        (["first_seen within_days 7"], ["ann"]),
    ],
)
async def test_users_are_chosen_by_what_they_did(
    room: Room, receiver: Receiver, conditions: list[str], chosen: list[str]
) -> None:
    """By the routes they used lately, by when they came, by how they stand to the API."""
    day = timedelta(days=1)
    await room.store_calls(
        Call(user_id="ann", route="/orders", time=NOW - 2 * day),
        Call(user_id="bo", route="/orders", time=NOW - 9 * day),
        Call(user_id="bo", route="/items", time=NOW - day),
        Call(user_id="cy", route="/items", time=NOW - 40 * day),
    )
    await choose(room, *conditions)
    await room.sync()
    assert users(receiver) == chosen


async def test_who_enters_the_audience_by_the_passing_of_time_is_sent(
    room: Room, receiver: Receiver
) -> None:
    """After the day on which it happened; who did not is not."""
    await room.store_users("ann", at=YESTERDAY - timedelta(days=27))
    await room.store_users("bo", at=YESTERDAY - timedelta(days=20))
    await choose(room, "lifecycle is dormant")
    await room.sync()
    assert users(receiver) == []
    room.clock.move(timedelta(days=2))
    await room.sync()
    assert users(receiver) == ["ann"]


async def test_who_enters_the_audience_by_a_change_of_the_company_is_sent(
    room: Room, receiver: Receiver
) -> None:
    """Though nothing was said of the user."""
    await room.store_profile("ann", {"metadata": {}}, company_id="acme")
    await choose(room, "company.metadata.tier is gold")
    await room.sync()
    await room.store_profile("acme", {"metadata": {"tier": "gold"}}, kind="company")
    await room.sync()
    assert users(receiver) == ["ann"]
