"""The past is sent day by day, each message stamped with its day, and the present comes last."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from headwater.base.errors import ConflictError, InvalidInputError, NotFoundError
from headwater.extensions import windows
from tests.rooms.extensions.room import NOW, YESTERDAY, Room, messages, repeated
from tests.rooms.profiles.history import Call
from tests.support.server import environment
from tests.support.webhook import Receiver

_ROOT = Path(__file__).parents[3]
_DIED = 137


async def fill(room: Room) -> None:
    """Ann called on three days, Bo on the second, Cy today."""
    days = [datetime(2026, 11, day, 12, tzinfo=UTC) for day in (18, 19, 20)]
    await room.store_calls(
        *(Call(user_id="ann", time=at) for at in days for _ in range(at.day - 17)),
        Call(user_id="bo", time=days[1]),
        Call(user_id="cy", time=NOW - timedelta(minutes=1)),
    )


async def finish(room: Room) -> None:
    while await room.extensions.step():
        pass


def told(receiver: Receiver) -> list[tuple[str, str, int]]:
    return [
        (m["userId"], m["timestamp"], m["traits"]["dailyAggregation"]["totalCalls"])
        for m in messages(receiver)
    ]


async def test_each_day_in_order_then_the_present(room: Room, receiver: Receiver) -> None:
    """Whoever called on a day is sent with the numbers of that day."""
    await fill(room)
    await room.sync()
    receiver.received.clear()
    await room.extensions.backfill(room.app, "segment", "2026-11-18", "2026-11-20")
    await finish(room)
    sent = told(receiver)
    assert sent[0] == ("ann", "2026-11-18T23:59:59.999Z", 1)
    assert sorted(sent[1:3]) == [
        ("ann", "2026-11-19T23:59:59.999Z", 2),
        ("bo", "2026-11-19T23:59:59.999Z", 1),
    ]
    assert sent[3] == ("ann", "2026-11-20T23:59:59.999Z", 3)
    assert sorted(sent[4:]) == [
        ("ann", "2026-11-23T10:00:00.000Z", 0),
        ("bo", "2026-11-23T10:00:00.000Z", 0),
    ]
    (done,) = await room.extensions.backfills(room.app, "segment")
    assert (done.state, done.days_done, done.days, done.messages) == ("done", 3, 3, 6)
    assert repeated(receiver) == []
    assert (await room.sync(full=True)).sent == 0


async def test_a_day_is_that_of_the_apps_zone(room: Room, receiver: Receiver) -> None:
    """It ends when it ends there."""
    with room.configdb.transaction() as connection:
        connection.exec_driver_sql("UPDATE apps SET timezone = 'Asia/Kathmandu'")
    room.app = msgspec.structs.replace(room.app, timezone="Asia/Kathmandu")
    await room.store_calls(Call(user_id="ann", time=datetime(2026, 11, 18, 19, tzinfo=UTC)))
    await room.sync()
    receiver.received.clear()
    await room.extensions.backfill(room.app, "segment", "2026-11-18", "2026-11-19")
    await finish(room)
    assert told(receiver)[0] == ("ann", "2026-11-19T18:14:59.999Z", 1)


async def test_a_cancelled_backfill_makes_no_more(room: Room, receiver: Receiver) -> None:
    """Another may begin then, and not before."""
    await fill(room)
    await room.sync()
    receiver.received.clear()
    days = ("2026-11-18", "2026-11-20")
    await room.extensions.backfill(room.app, "segment", *days)
    with pytest.raises(ConflictError):
        await room.extensions.backfill(room.app, "segment", *days)
    assert (await room.status()).backfill is not None
    cancelled = await room.extensions.cancel_backfill(room.app, "segment")
    assert cancelled.state == "cancelled"
    assert await room.extensions.step() == 0
    assert receiver.received == []
    with pytest.raises(NotFoundError):
        await room.extensions.cancel_backfill(room.app, "segment")
    await room.extensions.backfill(room.app, "segment", *days)


async def test_an_endpoint_that_is_away_stops_it_and_loses_nothing(
    room: Room, receiver: Receiver
) -> None:
    """It goes on with the next page once the waiting ones are delivered."""
    await fill(room)
    await room.sync()
    receiver.received.clear()
    receiver.plan(401)
    await room.extensions.backfill(room.app, "segment", "2026-11-18", "2026-11-20")
    assert await room.extensions.step() == 1
    assert await room.states() == {"delivered": 3, "due": 1}
    (begun,) = await room.extensions.backfills(room.app, "segment")
    assert (begun.state, begun.days_done) == ("running", 1)
    room.clock.move(timedelta(seconds=1))
    await finish(room)
    assert len({m["messageId"] for m in messages(receiver)}) == 6


@pytest.mark.parametrize(
    ("first", "last", "word"),
    [
        ("2026-11-20", "2026-11-19", "after"),
        ("2026-11-20", "2026-11-23", "not over"),
        ("2024-01-01", "2026-11-20", "400"),
        ("yesterday", "2026-11-20", "2026-11-22"),
    ],
)
async def test_days_that_cannot_be_sent_are_refused(
    room: Room, first: str, last: str, word: str
) -> None:
    """Before anything is written down."""
    with pytest.raises(InvalidInputError, match=word):
        await room.extensions.backfill(room.app, "segment", first, last)


async def test_another_target_ends_a_backfill(room: Room, receiver: Receiver) -> None:
    """What it was to send was meant for the old one."""
    await room.store_users("ann", at=YESTERDAY)
    await room.extensions.backfill(room.app, "segment", "2026-11-20", "2026-11-22")
    room.connect(receiver.url, key="another-key-of-the-same-team")
    (ended,) = await room.extensions.backfills(room.app, "segment")
    assert ended.state == "cancelled"


@pytest.mark.slow
@pytest.mark.parametrize("passes", [1, 4])
async def test_a_killed_backfill_goes_on_where_it_stood(
    tmp_path: Path, receiver: Receiver, passes: int
) -> None:
    """Every message of every day arrives, each under one id; few come twice."""

    async def run(**crash: Any) -> int:
        env = environment(crash or None)
        env["PYTHONPATH"] = f"{env['PYTHONPATH']}:{_ROOT}"
        program = [sys.executable, "-m", "tests.rooms.extensions.crashing_backfill"]
        process = await asyncio.create_subprocess_exec(
            *program, str(tmp_path), receiver.url, env=env, stdout=asyncio.subprocess.DEVNULL
        )
        return await process.wait()

    assert await run(HEADWATER_CRASH_AT=f"extensions.backfilled:{passes}") == _DIED
    assert await run() == 0
    by_id = {m["messageId"]: (m["userId"], m["timestamp"][:10]) for m in messages(receiver)}
    days = ("2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23")
    assert sorted(by_id.values()) == [(f"user-{n}", day) for n in range(5) for day in days]
    assert len(repeated(receiver)) <= windows.PAGE_USERS


@pytest.mark.parametrize(("profile", "plans"), [("now", ["max"] * 3), ("then", ["", "pro", "max"])])
async def test_a_past_day_has_the_profile_of_now_or_then(
    room: Room, receiver: Receiver, profile: Any, plans: list[str]
) -> None:
    """As it was at the end of the day; the present, which comes last, is always of now."""
    await fill(room)
    for plan, day in (("pro", 19), ("max", 21)):
        at = datetime(2026, 11, day, 18, tzinfo=UTC)
        await room.store_profile("ann", {"metadata": {"plan": plan}}, time=at)
    await room.extensions.backfill(room.app, "segment", "2026-11-18", "2026-11-19", profile)
    receiver.received.clear()
    await finish(room)
    told_of = [m["traits"] for m in messages(receiver) if m["userId"] == "ann"][-3:]
    assert [traits.get("metadata", {}).get("plan", "") for traits in told_of] == plans
    seen = [traits["lastSeenTime"][:10] for traits in told_of]
    assert seen == (
        ["2026-11-20"] * 3 if profile == "now" else ["2026-11-18", "2026-11-19", "2026-11-20"]
    )


async def test_a_profile_is_of_now_or_then(room: Room) -> None:
    """Nothing else can be asked for."""
    with pytest.raises(InvalidInputError):
        await room.extensions.backfill(room.app, "segment", "2026-11-18", "2026-11-19", "soon")  # type: ignore[arg-type] # that is the point
