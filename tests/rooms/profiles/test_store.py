"""Profiles are folded once, read whole, and found when something happened to them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import Raw

from headwater.eventstore import EventStore
from headwater.model import ProfileUpdate
from headwater.profiles import Profiles
from tests.rooms.profiles.history import Call, insert_calls

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def an_update(app_id: str, fields: Any, **facts: Any) -> ProfileUpdate:
    plain = ProfileUpdate(
        app_id=app_id,
        kind="user",
        id="ann",
        update_id="u1",
        time=NOON,
        received_at=NOON + timedelta(days=1),
        fields=Raw(msgspec.json.encode(fields)),
    )
    return msgspec.structs.replace(plain, **facts)


async def touched(profiles: Profiles, app_id: str, after: int = 0, **more: Any) -> list[str]:
    chosen = {"active": None, "above": "", "limit": 100, **more}
    return await profiles.touched_users(app_id, after=after, **chosen)


async def test_updates_merge_over_batches(profiles: Profiles, app_id: str) -> None:
    """An older update in a later batch fills gaps only; dates widen both ways."""
    new = an_update(app_id, {"metadata": {"plan": "pro"}}, time=NOON + timedelta(hours=1))
    old = an_update(
        app_id, {"metadata": {"plan": "free", "email": "a@example.com"}}, update_id="u0"
    )
    await profiles.fold([(7, new)], token="t1")
    await profiles.fold([(8, old)], token="t2")
    ann = (await profiles.people(app_id, ["ann"]))["ann"]
    assert ann.doc == {"metadata": {"plan": "pro", "email": "a@example.com"}}
    assert (ann.created_at, ann.modified_at) == (NOON, NOON + timedelta(hours=1))
    assert ann.changed_offset == 8


async def test_a_repeated_batch_changes_nothing(
    store: EventStore, profiles: Profiles, app_id: str
) -> None:
    """With its own token it adds no row; with another one it adds the same row."""
    updates = [(3, an_update(app_id, {"a": 1})), (4, an_update(app_id, {"a": 2}, update_id="u2"))]
    await profiles.fold(updates, token=f"{app_id}-1")
    first = await read_rows(store, app_id)
    await profiles.fold(updates, token=f"{app_id}-1")
    assert await read_rows(store, app_id) == first
    await profiles.fold(updates, token=f"{app_id}-2")
    assert await read_rows(store, app_id) == first * 2


async def read_rows(store: EventStore, app_id: str) -> list[dict[str, Any]]:
    question = "SELECT * FROM profiles WHERE app_id = {app:String}"
    return await store.select(question, {"app": app_id})


async def test_a_person_is_profile_and_calls_together(
    store: EventStore, profiles: Profiles, app_id: str
) -> None:
    """First and last seen, first success, latest address; the profile's company wins."""
    at = [NOON + timedelta(minutes=minute) for minute in (5, 10, 20)]
    await insert_calls(
        store,
        [
            Call(app_id=app_id, time=at[0], status=401, ip_address="192.0.2.1", log_offset=5),
            Call(app_id=app_id, time=at[2], company_id="c-call", user_agent="sdk/2", log_offset=6),
            Call(app_id=app_id, time=at[1], status=301, ip_address="192.0.2.2", log_offset=9),
        ],
    )
    await profiles.fold([(4, an_update(app_id, {}, company_id="c-said"))], token=f"{app_id}")
    ann = (await profiles.people(app_id, ["ann", "stranger", ""]))["ann"]
    assert (ann.first_seen_at, ann.last_seen_at, ann.first_success_at) == (at[0], at[2], at[1])
    assert (ann.last_ip, ann.last_user_agent) == ("192.0.2.2", "sdk/2")
    assert (ann.company_id, ann.ttfhw_s, ann.changed_offset) == ("c-said", 600, 9)


async def test_those_known_by_calls_only_exist(
    store: EventStore, profiles: Profiles, app_id: str
) -> None:
    """Created when first seen; without a success there is no time to hello world."""
    await insert_calls(store, [Call(app_id=app_id, time=NOON, status=500, company_id="c1")])
    ann = (await profiles.people(app_id, ["ann"]))["ann"]
    company = (await profiles.companies(app_id, ["c1"]))["c1"]
    for known in (ann, company):
        assert (known.doc, known.created_at, known.modified_at) == ({}, NOON, NOON)
        assert (known.first_success_at, known.ttfhw_s) == (None, None)
    assert ann.company_id == "c1"


async def test_a_visitor_is_kept_and_marked(
    store: EventStore, profiles: Profiles, app_id: str
) -> None:
    """Under the anonymous id, apart from users, until identity learns who it is."""
    visitor = an_update(app_id, {"a": 1}, id="", anonymous_id="v1")
    await profiles.fold([(1, visitor)], token=f"{app_id}-1")
    assert await touched(profiles, app_id) == []
    await profiles.fold([(2, an_update(app_id, {"b": 2}, anonymous_id="v1"))], token=f"{app_id}-2")
    people = await profiles.people(app_id, ["ann", "v1"])
    assert people["v1"].doc == {"a": 1}
    assert people["ann"].doc == {"b": 2}
    assert await touched(profiles, app_id) == ["ann"]


async def test_touched_users_come_in_pages(
    store: EventStore, profiles: Profiles, app_id: str
) -> None:
    """By a call or by an update after the offset, or by a call within the span; in order."""
    day = timedelta(days=1)
    await insert_calls(
        store,
        [
            Call(app_id=app_id, user_id="bo", time=NOON, log_offset=5),
            Call(app_id=app_id, user_id="cy", time=NOON - day, log_offset=2),
            Call(app_id=app_id, user_id="", time=NOON, log_offset=9),
        ],
    )
    await profiles.fold([(7, an_update(app_id, {}, id="di"))], token=app_id)
    assert await touched(profiles, app_id) == ["bo", "cy", "di"]
    assert await touched(profiles, app_id, 2) == ["bo", "di"]
    assert await touched(profiles, app_id, 5) == ["di"]
    assert await touched(profiles, app_id, 7) == []
    assert await touched(profiles, app_id, 7, active=(NOON - day, NOON)) == ["cy"]
    assert await touched(profiles, app_id, limit=2) == ["bo", "cy"]
    assert await touched(profiles, app_id, above="cy", limit=2) == ["di"]


async def test_odd_ids_are_ids(store: EventStore, profiles: Profiles, app_id: str) -> None:
    """Quotes, backslashes, line ends, emoji, zero bytes: opaque, all of them."""
    ids = ["o'neil", "a\\b", 'q"', "tab\tline\n", "😀", "nul\x00", "{x:String}", "0", " "]
    await profiles.fold(
        [(n + 1, an_update(app_id, {"n": n}, id=i)) for n, i in enumerate(ids)], token=app_id
    )
    await insert_calls(store, [Call(app_id=app_id, user_id=i, time=NOON) for i in ids])
    people = await profiles.people(app_id, ids)
    assert {known: person.doc["n"] for known, person in people.items()} == {
        i: n for n, i in enumerate(ids)
    }
    assert all(person.first_seen_at == NOON for person in people.values())
    assert sorted(await touched(profiles, app_id)) == sorted(ids)


async def test_ten_thousand_keys_are_stored(profiles: Profiles, app_id: str) -> None:
    """Nothing crashes; what was kept can be read back."""
    await profiles.fold([(1, an_update(app_id, {f"k{n}": n for n in range(10_000)}))], token=app_id)
    await profiles.fold([(2, an_update(app_id, {"z": 1}, update_id="u2"))], token=f"{app_id}-2")
    doc = (await profiles.people(app_id, ["ann"]))["ann"].doc
    assert len(doc) == 2_000
