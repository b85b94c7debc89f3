"""What people change while messages wait: nothing is stranded by it."""

import asyncio

from headwater.base.settings import FederationSettings
from headwater.base.vault import Vault
from headwater.configdb import ConfigDb
from headwater.destinations import Changes, change_destination
from headwater.federation import resume
from tests.support.federation import Federation
from tests.support.messages import a_message
from tests.support.webhook import Answer, Receiver


async def test_whoever_resumes_at_once_is_heard(
    federation: Federation, receiver: Receiver, configdb: ConfigDb
) -> None:
    """However soon after the pause, and however often."""
    instance = federation.connect(receiver.url)
    async with federation.at_work():
        for name in ("a", "b"):
            receiver.always = Answer(status=401)
            await federation.receive(name)
            await federation.until(instance, lambda s: s.waiting == 1 and bool(s.paused))
            receiver.always = None
            await configdb.run(resume, instance.id)
            await federation.until(instance, lambda s: (s.waiting, s.paused) == (0, ""))
    assert [got.json["messageId"] for got in receiver.received] == ["a", "a", "b", "b"]


async def test_whoever_resumes_with_a_bad_key_risks_one_message_and_loses_none(
    configdb: ConfigDb, vault: Vault, receiver: Receiver
) -> None:
    """Dozens wait, refused or new: one is tried each time, and all arrive with the right key."""
    settings = FederationSettings(retry_first_s=0.01, retry_cap_s=0.01, poll_s=0.02)
    federation = Federation(configdb, vault, settings=settings)
    instance = federation.connect(receiver.url, batch_size="40")
    receiver.plan(200)
    receiver.always = Answer(status=401)
    async with federation.at_work():
        await federation.receive("first")
        await federation.until(instance, lambda s: s.delivered == 1)
        await federation.receive(*(f"m-{n}" for n in range(40)))
        await federation.until(instance, lambda s: s.waiting == 40 and bool(s.paused))
        await federation.receive(*(f"n-{n}" for n in range(10)))
        for tries in (1, 2):
            await configdb.run(resume, instance.id)
            await receiver.wait_for(2 + tries)
            await federation.until(instance, lambda s: bool(s.paused))
            await asyncio.sleep(0.1)
            assert [len(got.json) for got in receiver.received] == [1, 40, *[1] * tries]
        receiver.always = None
        await configdb.run(resume, instance.id)
        status = await federation.until(instance, lambda s: s.delivered == 51)
    assert (status.dead, status.waiting, status.paused) == (0, 0, "")
    await federation.close()


async def test_a_message_that_is_refused_for_itself_dies_and_pauses_nobody_for_ever(
    federation: Federation, receiver: Receiver, configdb: ConfigDb
) -> None:
    """Resumed once, others go first; while they are taken, it is refused again and dead."""
    instance = federation.connect(receiver.url)
    receiver.judge = lambda got: 403 if got.json["messageId"] == "odd" else 200
    async with federation.at_work():
        await federation.receive("odd")
        await federation.until(instance, lambda s: bool(s.paused) and s.waiting == 1)
        await federation.receive(*(f"m-{n}" for n in range(5)))
        await configdb.run(resume, instance.id)
        await federation.until(instance, lambda s: (s.delivered, s.dead) == (5, 1))
        await federation.receive("last")
        status = await federation.until(instance, lambda s: s.delivered == 6)
    assert (status.paused, status.waiting) == ("", 0)


async def test_when_order_is_kept_no_more_nothing_waits_for_another(
    configdb: ConfigDb, vault: Vault, receiver: Receiver
) -> None:
    """More than is taken at once wait behind the first message of a user, which is far from due."""
    settings = FederationSettings(retry_first_s=600, retry_cap_s=600, poll_s=0.02)
    federation = Federation(configdb, vault, settings=settings)
    instance = federation.connect(receiver.url, batch_size="500")
    await federation.keep_order(instance)
    receiver.plan(500)
    now = federation.clock.now()
    async with federation.at_work():
        await federation.append(
            [
                a_message(f"m-{n}", source_id=federation.source.id, received_at=now)
                for n in range(1_500)
            ]
        )
        await federation.until(instance, lambda s: s.waiting == 1_500)
        changes = Changes(keeps_order=False)
        await configdb.run(change_destination, vault, federation.egress, instance.id, changes)
        await federation.until(instance, lambda s: (s.delivered, s.waiting) == (1_499, 1))
    await federation.close()
