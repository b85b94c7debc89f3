"""What a person configured decides about every message that is carried."""

from typing import Any

from headwater.destinations import Changes, Instance, change_destination
from tests.support.federation import Federation
from tests.support.webhook import Receiver


def change(federation: Federation, instance: Instance, **changes: Any) -> None:
    with federation.configdb.transaction() as connection:
        change_destination(
            connection, federation.vault, federation.egress, instance.id, Changes(**changes)
        )


async def test_filters_then_mappings_decide(federation: Federation, receiver: Receiver) -> None:
    """Dropped is not sent, blocked fields are gone before a mapping can see them."""
    instance = federation.connect(receiver.url)
    text = {"kind": "template", "text": "{{messageId}} {{traits.plan}}{{traits.email}}"}
    change(
        federation,
        instance,
        filters=[
            {"kind": "drop", "when": {"field": "traits.isTest", "op": "is", "value": True}},
            {"kind": "block", "fields": ["traits.email"]},
        ],
        mappings=[{"action": "send", "fields": {"body": text}}],
    )
    traits = {"plan": "pro", "email": "ann@example.com"}
    async with federation.at_work():
        await federation.receive("m-1", traits={**traits, "isTest": True})
        await federation.receive("m-2", traits=traits)
        await federation.until(instance, lambda status: status.delivered == 1)
    assert [got.json for got in receiver.received] == ["m-2 pro"]


async def test_a_change_holds_from_the_next_message_on(
    federation: Federation, receiver: Receiver
) -> None:
    """Without a restart; a mapping that is switched off sends nothing."""
    instance = federation.connect(receiver.url)
    async with federation.at_work():
        await federation.receive("m-1")
        await federation.until(instance, lambda status: status.delivered == 1)
        change(federation, instance, mappings=[{"action": "send", "enabled": False}])
        await federation.workers.refresh()
        await federation.receive("m-2")
        await federation.until(instance, lambda status: status.behind_entries == 0)
        change(federation, instance, mappings=[{"action": "send"}], name="Renamed")
        await federation.workers.refresh()
        await federation.receive("m-3")
        await federation.until(instance, lambda status: status.delivered == 2)
    assert [got.json["messageId"] for got in receiver.received] == ["m-1", "m-3"]


async def test_what_does_not_fit_its_mapping_is_dead_and_named(
    federation: Federation, receiver: Receiver
) -> None:
    """Not sent with a hole in it, and not lost without a word."""
    instance = federation.connect(receiver.url)
    rule = {"kind": "path", "path": "traits.email"}
    change(federation, instance, mappings=[{"action": "send", "fields": {"body": rule}}])
    async with federation.at_work():
        await federation.receive("m-1", traits={"plan": "pro"})
        await federation.until(instance, lambda status: status.dead == 1)
    assert receiver.received == []
