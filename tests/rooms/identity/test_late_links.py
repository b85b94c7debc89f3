"""Late links, as people meet them: reports, shares, companies, repeats, and a store of before."""

import asyncio
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from headwater.analytics import QueryScope, answer
from headwater.base.clock import SetClock
from headwater.base.settings import EventStoreSettings, IdentitySettings
from headwater.configdb import Position
from headwater.eventlog import Entry
from headwater.eventstore.connect import find_engine
from headwater.eventstore.migrate import migrate, read_steps
from headwater.ingest.batch import decode_entries
from headwater.ingest.owners import put_owners
from headwater.ingest.rows import to_call_lines
from headwater.profiles import Identity, Profiles, day_window
from tests.rooms.identity.world import World, an_update, stored_owners
from tests.support.calls import NOON, encode_entry, make_call

HOUR = timedelta(hours=1)


@pytest.fixture
def world(tmp_path: Path) -> Any:
    with closing(World(tmp_path)) as world:
        yield world


def unnamed(call_id: str, hours: float = 0, **facts: Any) -> Any:
    nobody = {"user_id": "", "company_id": ""}
    return make_call(call_id, time=NOON + hours * HOUR, **(nobody | facts))


async def owners(world: World) -> dict[str, str]:
    found = await stored_owners(world.store, "app_1")
    return {call_id: f"{user}@{company}" for call_id, (user, company) in found.items()}


async def ask(world: World, kind: str, **spec: Any) -> Any:
    clock = SetClock(datetime(2026, 11, 21, tzinfo=UTC))
    scope = QueryScope("app_1", "UTC")
    found = await answer(world.store, scope, kind, msgspec.json.encode(spec), clock)
    return msgspec.json.decode(msgspec.json.encode(found))


async def test_a_visitor_becomes_known_everywhere(world: World) -> None:
    """Timeline, users, rollup and due users know the calls of before; no total changes."""
    profiles = Profiles(world.store)
    visits = [unnamed(f"v{n}", n, anonymous_id="b1", weight=10) for n in range(3)]
    await world.put_range(1, [*visits, unnamed("other", anonymous_id="b2")])
    total = (await ask(world, "count"))["count"]
    assert await profiles.touched_users("app_1", after=0, active=None, above="", limit=9) == []
    await world.put_range(2, [an_update(id="ann", anonymous_id="b1", company_id="acme")])
    assert await world.relinking.step() == 3
    assert (await ask(world, "count"))["count"] == total == 31
    timeline = await ask(world, "user_timeline", user_id="ann")
    assert [item["id"] for item in timeline["items"] if item["kind"] == "call"] == [
        "v2",
        "v1",
        "v0",
    ]
    [ann] = [user for user in (await ask(world, "users"))["users"] if user["user_id"] == "ann"]
    assert (ann["calls"], ann["company_id"]) == (30, "acme")
    window = day_window("UTC", "2026-11-20")
    rollups = await profiles.rollups("app_1", "UTC", ["ann"], *window, day="2026-11-20")
    assert rollups["ann"].total_calls == 30
    due = await profiles.touched_users("app_1", after=2, active=None, above="", limit=9)
    assert due == ["ann"], "whoever had read everything finds her again"
    assert await world.relinking.step() == 0


async def test_a_shared_key_steals_nothing(world: World) -> None:
    """Bob's calls stay Bob's when Ann is seen with the company's key; later ones are nobody's."""
    await world.put_range(1, [unnamed("before", -1, session_key="k")])
    await world.put_range(2, [make_call("bob", user_id="bob", company_id="", session_key="k")])
    await world.relinking.step()
    ann = make_call("ann", user_id="ann", company_id="", session_key="k", time=NOON + 2 * HOUR)
    await world.put_range(3, [unnamed("between", 1, session_key="k")])
    await world.put_range(4, [ann, unnamed("after", 3, session_key="k")])
    await world.relinking.step()
    found = await owners(world)
    assert (found["before"], found["between"], found["after"]) == ("bob@", "bob@", "@")


async def test_a_call_takes_the_company_of_its_time(world: World) -> None:
    """Who moved from one company to another leaves the earlier calls where they were."""
    moves = [make_call(f"m{n}", user_id="ann", company_id=c, time=NOON + 2 * n * HOUR)
             for n, c in enumerate(["acme", "parcel"])]  # fmt: skip
    await world.put_range(1, [unnamed(f"c{n}", n, user_id="ann") for n in (-1, 1, 3)])
    await world.put_range(2, [*reversed(moves), unnamed("c4", 4, user_id="ann")])
    await world.relinking.step()
    found = await owners(world)
    assert [found[f"c{n}"] for n in (-1, 1, 3, 4)] == [
        "ann@acme", "ann@acme", "ann@parcel", "ann@parcel",
    ]  # fmt: skip


async def test_the_next_user_of_a_browser_is_known_at_once(world: World) -> None:
    """What memory holds of a browser gives way when somebody else logs in."""
    logins = [an_update(id=u, anonymous_id="b1", time=NOON + n * HOUR, received_at=NOON + 9 * HOUR)
              for n, u in enumerate(["ann", "bob"])]  # fmt: skip
    for offset, login in enumerate(logins, start=1):
        await world.put_range(offset, [login])
    await world.put_range(3, [unnamed("early", 0.5, anonymous_id="b1")])
    await world.put_range(4, [unnamed("late", 2, anonymous_id="b1")])
    assert await owners(world) == {"early": "ann@", "late": "bob@"}


async def test_a_late_browser_does_not_overrule_a_session(world: World) -> None:
    """A call that came with both stays with whom its session key names."""
    link = make_call("link", user_id="bob", company_id="", session_key="s1", time=NOON - HOUR)
    await world.put_range(1, [link, unnamed("both", session_key="s1", anonymous_id="b1")])
    await world.relinking.step()
    await world.put_range(2, [an_update(id="ann", anonymous_id="b1")])
    assert await world.relinking.step() == 0
    assert (await owners(world))["both"] == "bob@"


async def test_what_a_call_says_is_never_changed(world: World) -> None:
    """A link names only calls that name nobody."""
    said = make_call("said", user_id="bob", company_id="parcel", anonymous_id="b1")
    await world.put_range(1, [said])
    await world.put_range(2, [an_update(id="ann", anonymous_id="b1", company_id="acme")])
    await world.relinking.step()
    assert await owners(world) == {"said": "bob@parcel"}


async def test_a_repeated_range_gives_the_very_same_rows(world: World) -> None:
    """With memory or without, before its links are stored and after."""
    await world.put_range(1, [an_update(id="ann", anonymous_id="b1", company_id="acme")])
    records = [
        unnamed("old", anonymous_id="b1"),
        unnamed("new", session_key="s1"),
        make_call("link", user_id="bob", session_key="s1", time=NOON + HOUR),
    ]

    async def attempt(identity: Identity) -> bytes:
        batch = decode_entries([Entry(2, encode_entry(records), NOON)])
        await put_owners(identity, batch.calls, batch.updates, offset=2)
        return to_call_lines(batch.calls)

    first = await attempt(world.identity)
    again = await attempt(world.identity)
    fresh = await attempt(Identity(world.store, IdentitySettings(max_keys=2)))
    assert first == again == fresh
    assert first.count(b"user_by") == 2


async def test_nothing_is_counted_while_a_range_is_stored_by_half(world: World) -> None:
    """Identity waits for ingest to finish what it began."""
    await world.put_range(1, [unnamed("v", anonymous_id="b1")])
    await world.put_range(2, [an_update(id="ann", anonymous_id="b1")])
    await world.set_position(Position(3, (3, 3)))
    waiting = asyncio.create_task(world.relinking.step())
    done, _ = await asyncio.wait([waiting], timeout=2)
    assert not done
    people = await world.store.select("SELECT user_id FROM people_seen")
    assert people == []
    await world.set_position(Position(4))
    assert await waiting == 1
    assert await world.store.select("SELECT user_id FROM people_seen") == [{"user_id": "ann"}]


async def test_few_keys_in_memory_are_enough(world: World) -> None:
    """A shelf for two keys forgets, asks the store, and tells the same."""
    world.settings = IdentitySettings(max_keys=2)
    world.restart()
    said = [an_update(id=f"u{n}", anonymous_id=f"b{n}", company_id=f"c{n}") for n in range(20)]
    await world.put_range(1, said)
    await world.put_range(2, [unnamed(f"v{n}", anonymous_id=f"b{n}") for n in range(20)])
    assert await owners(world) == {f"v{n}": f"u{n}@c{n}" for n in range(20)}
    assert len(world.identity._shelf) <= 2


async def test_a_store_of_before_keeps_its_calls(tmp_path: Path) -> None:
    """Calls that were stored before links were learned are there once, and can be linked."""
    engine = find_engine(EventStoreSettings(), tmp_path)
    client = engine.open_writer()
    migrate(client, [step for step in read_steps() if step.version < 5])
    client.command(
        "INSERT INTO landing (app_id, time, call_id, user_id, anonymous_id)"
        " VALUES ('app_1', '2026-11-20 12:00:00', 'named', 'bob', ''),"
        " ('app_1', '2026-11-20 12:00:00', 'visit', '', 'b1')"
    )
    client.close()
    with closing(World(tmp_path)) as world:
        await world.put_range(9, [an_update(id="ann", anonymous_id="b1")])
        await world.relinking.step()
        assert await owners(world) == {"named": "bob@", "visit": "ann@"}
