"""What the door tells of a source: figures, refused samples, names; and what rules keep out."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from headwater.base.clock import SetClock
from headwater.base.errors import InvalidInputError, NotFoundError
from headwater.configdb import ConfigDb
from headwater.sources import (
    MOST_OF_A_REASON,
    NO_SOURCE,
    Figures,
    Source,
    add_hours,
    add_rule,
    list_refused,
    read_hours,
    read_rule,
    read_schema,
    remove_rule,
    schema,
)
from headwater.tracking.rules import REFRESH_S
from tests.support.tracking_door import Door

_NOON = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
_DAY = timedelta(days=1)


@pytest.fixture
def clock() -> SetClock:
    return SetClock(_NOON)


@pytest.fixture
async def door(configdb: ConfigDb, clock: SetClock) -> AsyncIterator[Door]:
    made = Door(configdb, clock=clock)
    yield made
    await made.close()


async def figures(door: Door, source_id: str) -> Figures:
    """Return what is written once the door has closed its book."""
    await door.app.close()
    hours = await door.configdb.look(read_hours, source_id, _NOON - _DAY, _NOON + _DAY)
    return add_hours(hours)


async def keep_out(door: Door, source: Source, type_: str, event: str = "", name: str = "") -> None:
    rule = read_rule(type_, event, name)
    await door.configdb.run(add_rule, door.clock, source.id, rule)


async def test_every_message_is_counted_once_by_what_became_of_it(door: Door) -> None:
    """Entered, a duplicate, blocked or refused, each at its own source, in its hour."""
    shop, other = door.add_source(), door.add_source("Other")
    await keep_out(door, shop, "track", "Noise")
    good = {"type": "track", "event": "A", "userId": "u", "messageId": "m1"}
    batch: list[Any] = [good, good | {"messageId": "m2"}, {"type": "track", "event": "A"}, 7]
    await door.call("/v1/batch", {"batch": batch}, shop.write_key)
    await door.call("/v1/track", good, shop.write_key)
    await door.call("/v1/track", {"event": "Noise", "userId": "u"}, shop.write_key)
    await door.call("/v1/track", b"{not json", shop.write_key)
    await door.call("/v1/track", good, other.write_key)
    mixed = [good | {"messageId": "m3", "writeKey": shop.write_key}, good]
    await door.call("/v1/batch", {"batch": mixed})
    assert await figures(door, shop.id) == Figures(
        received=8, entered=3, duplicate=1, blocked=1, refused=3,
        reasons={"invalid_json": 1, "no_user_anon_id": 1, "not_object": 1},
    )  # fmt: skip
    assert await figures(door, other.id) == Figures(received=1, entered=1)
    assert await figures(door, NO_SOURCE) == Figures(
        received=1, refused=1, reasons={"invalid_write_key": 1}
    )


async def test_samples_say_what_was_refused_and_why(door: Door) -> None:
    """The newest few of each reason, cut; a key that nobody has is told apart."""
    source = door.add_source()
    for number in range(MOST_OF_A_REASON + 5):
        await door.call("/v1/track", {"userId": f"u{number}"}, source.write_key)
        if number == MOST_OF_A_REASON:
            await door.app.close()  # as after a second
    await door.call("/v1/identify", {"traits": "x" * 9_000, "userId": "u"}, source.write_key)
    await door.call("/v1/track", {"event": "A", "userId": "u"}, "nobodys")
    await door.app.close()
    found = await door.configdb.look(list_refused, source.id)
    assert [one.code for one in found] == ["traits_not_object"] + MOST_OF_A_REASON * [
        "event_not_defined"
    ]
    assert found[0].reason == "`traits` must be an object."
    assert len(found[0].sample) == 2_000
    assert '"u14"' in found[1].sample
    (stranger,) = await door.configdb.look(list_refused, NO_SOURCE)
    assert (stranger.code, stranger.at) == ("invalid_write_key", _NOON)


async def test_the_schema_has_names_and_never_values(door: Door, clock: SetClock) -> None:
    """Events with properties, types with traits; how often, since when and until when."""
    source = door.add_source()
    bought = {"event": "Bought", "userId": "u", "properties": {"price": 7, "cur\0rency": "EUR"}}
    await door.call("/v1/track", bought, source.write_key)
    await door.app.close()
    clock.move(timedelta(hours=2))
    await door.call("/v1/track", {**bought, "properties": {"price": 8}}, source.write_key)
    await door.call("/v1/page", {"name": "Home", "userId": "u"}, source.write_key)
    about = {"traits": {"email": "u@x.de"}, "userId": "u"}
    await door.call("/v1/identify", about, source.write_key)
    await door.call("/v1/track", {"event": "x" * 201, "userId": "u"}, source.write_key)
    await door.app.close()
    found = await door.configdb.look(read_schema, source.id)
    told = {
        (event.type, event.name, event.count, tuple((p.name, p.count) for p in event.properties))
        for event in found.events
    }
    assert told == {
        ("identify", "", 1, (("email", 1),)),
        ("page", "Home", 1, ()),
        ("track", "Bought", 2, (("price", 2),)),
    }
    price = found.events[2].properties[0]
    assert (price.first_seen_at, price.last_seen_at) == (_NOON, _NOON + timedelta(hours=2))
    assert not found.is_full


async def test_ids_in_names_cannot_fill_the_database(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the limit only known names are counted, also after a restart; the schema says so."""
    monkeypatch.setattr(schema, "MOST_NAMES", 4)
    source = door.add_source()
    for number in (1, 2, 3, 1, 4, 5, 1):
        properties = {f"id_{number}": True}
        body = {"event": "E", "userId": "u", "properties": properties}
        await door.call("/v1/track", body, source.write_key)
        await door.app.close()
    again = Door(door.configdb, clock=door.clock)
    await again.call("/v1/track", {"event": "New", "userId": "u"}, source.write_key)
    await again.close()
    found = await door.configdb.look(read_schema, source.id)
    assert found.is_full
    (event,) = found.events
    assert (event.name, event.count) == ("E", 7)
    assert {p.name: p.count for p in event.properties} == {"id_1": 3, "id_2": 1, "id_3": 1}


async def test_what_a_rule_keeps_out_never_reaches_the_log(door: Door, clock: SetClock) -> None:
    """An event, a property of one event, a trait wherever it travels; of this source alone."""
    shop, other = door.add_source(), door.add_source("Other")
    await keep_out(door, shop, "track", "Noise")
    await keep_out(door, shop, "track", "Bought", "card")
    await keep_out(door, shop, "identify", "", "email")
    told = {"email": "u@x.de", "plan": "gold"}
    messages = [
        {"type": "track", "event": "Noise", "userId": "u"},
        {"type": "track", "event": "Bought", "userId": "u", "properties": {"card": 4111, "n": 1}},
        {"type": "track", "event": "Other", "userId": "u", "properties": {"card": "blue"}},
        {"type": "identify", "userId": "u", "traits": told},
        {"type": "track", "event": "C", "userId": "u", "context": {"traits": told, "ip": "::1"}},
    ]
    answer = await door.call("/v1/batch", {"batch": messages}, shop.write_key)
    assert answer.json == {"success": True}
    assert (await door.call("/v1/batch", {"batch": messages}, other.write_key)).status == 200
    stored = [message for message in await door.messages() if message.source_id == shop.id]
    assert [message.body.get("event") for message in stored] == ["Bought", "Other", None, "C"]
    assert [message.body.get("properties") for message in stored][:2] == [
        {"n": 1},
        {"card": "blue"},
    ]
    assert stored[2].body["traits"] == {"plan": "gold"}
    assert stored[3].body["context"] == {"traits": {"plan": "gold"}, "ip": "::1"}
    assert len(await door.messages()) == len(stored) + len(messages)

    page = await door.call(f"/v1/projects/{shop.write_key}/settings", b"", method="GET")
    plan = page.json["plan"]["track"]
    assert plan["Noise"] == {"enabled": False, "integrations": {}}
    assert plan["__default"]["enabled"]

    await door.configdb.run(remove_rule, shop.id, read_rule("track", "Noise", ""))
    clock.move(timedelta(seconds=REFRESH_S))
    await door.call("/v1/track", messages[0], shop.write_key)
    assert (await door.messages())[-1].body["event"] == "Noise"


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        (("tracks", "A", ""), "type"),
        (("track", "", ""), "event"),
        (("identify", "A", ""), "event"),
        (("alias", "", "x"), "name"),
        (("track", "A", "x" * 201), "name"),
    ],
)
def test_a_rule_that_could_never_hold_is_refused(rule: tuple[str, str, str], field: str) -> None:
    """With the field's name."""
    with pytest.raises(InvalidInputError) as refused:
        read_rule(*rule)
    assert refused.value.field == field


async def test_to_let_in_what_was_never_kept_out_is_an_error(door: Door) -> None:
    """Since it is probably misspelt."""
    source = door.add_source()
    with pytest.raises(NotFoundError):
        await door.configdb.run(remove_rule, source.id, read_rule("track", "A", ""))
