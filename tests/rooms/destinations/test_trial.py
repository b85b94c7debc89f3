"""Trying a destination with a message that somebody chose."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from headwater.base.clock import SystemClock
from headwater.base.egress import Egress
from headwater.base.errors import InvalidInputError
from headwater.base.vault import Vault
from headwater.configdb import ConfigDb
from headwater.destinations import (
    Changes,
    Instance,
    Trial,
    add_destination,
    as_test_message,
    change_destination,
    map_message,
    recent_messages,
    sample_body,
    try_message,
)
from headwater.eventlog import MemoryLog, Stream
from headwater.sources import Forgotten, add_source, forget_before
from tests.support.messages import NOON, a_message
from tests.support.webhook import Answer, Receiver, run_receiver

SECRET = "a secret to be kept"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with run_receiver() as running:
        yield running


def connect(configdb: ConfigDb, vault: Vault, url: str, **changes: Any) -> Instance:
    with configdb.transaction() as connection:
        source = add_source(connection, SystemClock(), "http-api", "Shop")
        instance, _ = add_destination(
            connection,
            vault,
            SystemClock(),
            Egress("127.0.0.0/8"),
            source_id=source.id,
            kind="webhook",
            values={"url": url, "secret": SECRET},
        )
        return change_destination(
            connection, vault, Egress("127.0.0.0/8"), instance.id, Changes(**changes)
        )


async def attempt(instance: Instance, vault: Vault, body: dict[str, Any]) -> Trial:
    egress = Egress("127.0.0.0/8")
    message = as_test_message(body, instance.source_id, NOON)
    try:
        return await try_message(egress, vault, SystemClock(), instance, message, 5)
    finally:
        await egress.close()


async def test_a_trial_shows_every_request_and_answer(
    configdb: ConfigDb, vault: Vault, receiver: Receiver
) -> None:
    """Past filters that would drop it, through every enabled mapping, without the secret."""
    text = {"kind": "template", "text": "{{traits.email}}"}
    instance = connect(
        configdb,
        vault,
        receiver.url,
        filters=[{"kind": "drop", "when": {"all": []}}],
        mappings=[
            {"action": "send", "name": "All of it"},
            {"action": "send", "name": "Off", "enabled": False},
            {"action": "send", "name": "E-mail", "fields": {"body": text}},
        ],
    )
    receiver.plan(200, Answer(status=422, body=f"no {SECRET}".encode()))
    trial = await attempt(instance, vault, sample_body("identify"))
    assert [(one.mapping, one.fate, one.status) for one in trial.tried] == [
        ("All of it", "delivered", 200), ("E-mail", "dead", 422),
    ]  # fmt: skip
    assert not trial.delivered
    assert trial.tried[1].exchanges[0].body == '"test@example.com"'
    assert trial.tried[1].exchanges[0].answer == "no ••••"
    assert SECRET not in str(trial)
    assert receiver.received[0].json["messageId"].startswith("test_")


async def test_a_trial_without_a_mapping_says_so(
    configdb: ConfigDb, vault: Vault, receiver: Receiver
) -> None:
    is_track = {"field": "type", "op": "is", "value": "track"}
    instance = connect(
        configdb, vault, receiver.url, mappings=[{"action": "send", "trigger": is_track}]
    )
    trial = await attempt(instance, vault, sample_body("identify"))
    assert (trial.delivered, trial.tried, receiver.received) == (False, [], [])
    assert "No enabled mapping" in trial.reason


def test_a_mapping_is_tried_without_being_stored(configdb: ConfigDb, vault: Vault) -> None:
    """Its trigger and its fields are shown; a wrong one is named by its path."""
    instance = connect(configdb, vault, "https://hooks.example.com/")
    message = as_test_message(sample_body("group"), "src", NOON)
    rule = {"kind": "path", "path": "traits.name"}
    mapped = map_message(
        instance,
        {
            "action": "send",
            "trigger": {"field": "type", "op": "is", "value": "track"},
            "fields": {"body": rule},
        },
        message,
    )
    assert (mapped.triggered, mapped.fields) == (False, {"body": "Test Company"})
    with pytest.raises(InvalidInputError) as caught:
        map_message(instance, {"action": "fly"}, message)
    assert caught.value.field == "mappings[0].action"


@pytest.mark.parametrize("type_", ["identify", "track", "page", "screen", "group", "alias"])
def test_every_type_has_a_sample_under_a_new_id(type_: str) -> None:
    one, other = (as_test_message(sample_body(type_), "src", NOON) for _ in range(2))
    assert (one.type, one.user_id) == (type_, "headwater-test-user")
    assert one.message_id != other.message_id
    with pytest.raises(InvalidInputError):
        as_test_message({"type": "trace"}, "src", NOON)


async def test_recent_messages_are_the_newest_of_the_source(
    configdb: ConfigDb, vault: Vault
) -> None:
    """Newest first, of this source, of the type that is asked for; not of who is forgotten."""
    forgotten = Forgotten(configdb, vault, SystemClock())
    log = MemoryLog()
    for number in range(30):
        source = "mine" if number % 2 else "other"
        kind = "track" if number % 3 else "page"
        message = a_message(f"m-{number}", source_id=source, type=kind)
        await log.append(Stream.MESSAGES, msgspec.json.encode(message))
    found = await recent_messages(log, forgotten, "mine", most=3)
    assert [one.message_id for one in found] == ["m-29", "m-27", "m-25"]
    pages = await recent_messages(log, forgotten, "mine", type_="page", most=2)
    assert [one.message_id for one in pages] == ["m-27", "m-21"]
    assert await recent_messages(MemoryLog(), forgotten, "mine") == []
    await configdb.run(forget_before, vault, ["u-1"], NOON)
    await forgotten.refresh()
    assert await recent_messages(log, forgotten, "mine") == []
