"""Cohorts: conditions under a name, chosen as an audience, looked at, never lost while in use."""

from collections.abc import Sequence

import pytest

from headwater.base.errors import ConflictError, InvalidInputError, NotFoundError
from headwater.extensions import (
    Cohort,
    add_cohort,
    change_cohort,
    delete_cohort,
    get_cohort,
    list_cohorts,
    members,
    read_condition,
    windows,
)
from headwater.extensions.contract import Item
from headwater.extensions.people import People
from headwater.extensions.segment import Segment
from headwater.extensions.segment.settings import SegmentSettings
from tests.rooms.extensions.room import Room, users
from tests.support.webhook import Receiver


async def add(room: Room, name: str, *conditions: str) -> Cohort:
    read = [read_condition(text) for text in conditions]
    return await room.configdb.run(add_cohort, room.clock, room.app.id, name, read)


async def change(room: Room, cohort: str, name: str, *conditions: str) -> Cohort:
    read = [read_condition(text) for text in conditions]
    return await room.configdb.run(change_cohort, room.clock, room.app.id, cohort, name, read)


async def choose(room: Room, cohort: str) -> None:
    await room.extensions.choose_cohort(room.app, "segment", cohort)


async def test_a_cohort_is_sent_and_nobody_else(room: Room, receiver: Receiver) -> None:
    """By its name; the status tells the name and the conditions."""
    await room.store_users("ann", "bo", "cy")
    cohort = await add(room, "Two of them", "id is_not bo", "calls at_least 1")
    await choose(room, "Two of them")
    await room.sync()
    assert users(receiver) == ["ann", "cy"]
    status = await room.status()
    assert (status.cohort, status.cohort_id) == ("Two of them", cohort.id)
    assert status.audience == cohort.conditions


async def test_whoever_enters_a_changed_cohort_is_sent(room: Room, receiver: Receiver) -> None:
    """At the next run, though nothing happened; a new name alone makes nobody due."""
    await room.store_users("ann", "bo")
    cohort = await add(room, "Some", "id is ann")
    await choose(room, cohort.id)
    await room.sync()
    await change(room, "Some", "Others", "id is ann")
    assert (await room.sync()).users_considered == 0
    await change(room, cohort.id, "Others", "id is bo")
    await room.sync()
    assert users(receiver) == ["ann", "bo"]


async def test_conditions_of_its_own_end_the_cohort(room: Room, receiver: Receiver) -> None:
    """And make the cohort free to go."""
    await room.store_users("ann", "bo")
    cohort = await add(room, "Some", "id is ann")
    await choose(room, "Some")
    await room.extensions.choose(room.app, "segment", [])
    await room.configdb.run(delete_cohort, room.app.id, cohort.id)
    await room.sync()
    assert users(receiver) == ["ann", "bo"]
    assert (await room.status()).cohort == ""


async def test_a_cohort_in_use_stays(room: Room) -> None:
    """The error names who sends it; afterwards it is there as before."""
    cohort = await add(room, "Some", "id is ann")
    await choose(room, "Some")
    with pytest.raises(ConflictError, match="sent by: segment"):
        await room.configdb.run(delete_cohort, room.app.id, "Some")
    found = await room.configdb.run(list_cohorts, room.app.id)
    assert [(one.id, one.used_by) for one in found] == [(cohort.id, ("segment",))]


async def test_a_run_that_began_with_other_conditions_stops(
    room: Room, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or it would pass over those who are meant now, and send those who are not."""
    await room.store_users("ann", "bo")
    cohort = await add(room, "Some", "id is ann")
    await choose(room, "Some")
    compose = Segment.compose

    def meanwhile(self: Segment, settings: SegmentSettings, people: People) -> Sequence[Item]:
        monkeypatch.setattr(Segment, "compose", compose)
        with room.configdb.transaction() as connection:
            only_bo = [read_condition("id is bo")]
            change_cohort(connection, room.clock, room.app.id, cohort.id, "Some", only_bo)
        return compose(self, settings, people)

    monkeypatch.setattr(Segment, "compose", meanwhile)
    with pytest.raises(ConflictError):
        await room.sync()
    assert users(receiver) == []
    await room.sync()
    assert users(receiver) == ["bo"]


async def test_members_are_listed_by_id_and_counted(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Page by page, however many pages of users it takes to find them."""
    monkeypatch.setattr(windows, "PAGE_USERS", 3)
    everybody = [f"user-{n:02}" for n in range(11)]
    await room.store_users(*everybody)
    await room.store_profile("acme", {"metadata": {"tier": "gold"}}, kind="company")
    for id_ in everybody[::2]:
        await room.store_profile(id_, {"metadata": {"plan": "pro"}}, company_id="acme")
    conditions = ("metadata.plan is pro", "company.metadata.tier is gold", "calls at_least 1")
    cohort = await add(room, "Gold", *conditions)
    listed: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        found = await room.extensions.members(room.app, "Gold", limit=2, above=cursor)
        assert len(found.users) <= 2
        listed += [user.id for user in found.users]
        cursor = found.next_cursor
    assert listed == everybody[::2]
    assert await room.extensions.count(room.app, cohort.conditions) == 6


async def test_a_page_does_not_wait_for_everybody(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be empty and go on: the only member is found two pages later."""
    monkeypatch.setattr(windows, "PAGE_USERS", 2)
    monkeypatch.setattr(members, "MOST_LOOKED_AT", 4)
    await room.store_users(*(f"user-{n}" for n in range(10)))
    await add(room, "The last", "id is user-9")
    pages = []
    cursor: str | None = ""
    while cursor is not None:
        found = await room.extensions.members(room.app, "The last", above=cursor)
        pages.append([user.id for user in found.users])
        cursor = found.next_cursor
    assert pages == [[], [], ["user-9"]]


async def test_names_and_conditions_are_checked(room: Room) -> None:
    """The error names the field; a name is of one cohort of an app, and of another app's too."""
    cohort = await add(room, "Some", "id is ann")
    other = room.open_other_app("other")
    for name, conditions, field in (
        ("", ["id is ann"], "name"),
        (" x\ny", ["id is ann"], "name"),
        ("Everybody", [], "conditions"),
    ):
        with pytest.raises(InvalidInputError) as caught:
            await add(room, name, *conditions)
        assert caught.value.field == field
    with pytest.raises(ConflictError, match="already"):
        await add(room, " Some ", "id is bo")
    assert (await change(room, cohort.id, "Some", "id is bo")).conditions[0].value == "bo"
    read = [read_condition("id is ann")]
    await room.configdb.run(add_cohort, room.clock, other.id, "Some", read)
    with pytest.raises(NotFoundError):
        await room.configdb.run(get_cohort, other.id, cohort.id)
