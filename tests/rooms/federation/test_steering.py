"""What people change while messages wait: nothing is stranded by it."""

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
