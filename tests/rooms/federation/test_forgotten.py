"""Users who were forgotten: what was received of them before is brought to nobody."""

from datetime import timedelta

import msgspec
import sqlalchemy as sa

from headwater.configdb import ConfigDb
from headwater.configdb.tables import deliveries
from headwater.destinations import Instance, plan_of
from headwater.federation import FederationWorkers, forget_users, list_replays
from headwater.federation.intake import Intake
from headwater.sources import FORGOTTEN_WITHIN_S, Forgotten, forget_before
from tests.support.federation import QUICK, Federation
from tests.support.webhook import Answer, Receiver


async def _forget(federation: Federation, *user_ids: str) -> None:
    now = federation.clock.now()
    await federation.configdb.run(forget_before, federation.vault, user_ids, now)


async def _taken_in(federation: Federation, instance: Instance) -> list[str]:
    """Return which of the log's messages a courier would take in hand."""
    configdb, clock = federation.configdb, federation.clock
    forgotten = Forgotten(configdb, federation.vault, clock)
    intake = Intake(instance, plan_of(instance), configdb, federation.log, clock, forgotten)
    haul = intake.haul_of(await intake.read_new(10, 0.1))
    return [piece.waiting.message.message_id for piece in haul.pieces]


def _came(receiver: Receiver) -> list[str]:
    return [got.json["messageId"] for got in receiver.received]


async def test_what_lies_in_the_log_of_a_forgotten_user_is_not_brought(
    federation: Federation, receiver: Receiver
) -> None:
    """Nor an alias that names them, nor by a replay; what they do afterwards is."""
    instance = federation.connect(receiver.url)
    begun = federation.clock.now()
    await federation.receive("old", userId="ann")
    await federation.receive("alias", type="alias", userId="cy", previousId="ann")
    await federation.receive("other", userId="bob")
    await _forget(federation, "ann")
    await federation.receive("new", userId="ann")
    assert await _taken_in(federation, instance) == ["other", "new"]
    async with federation.at_work():
        done = await federation.until(instance, lambda s: s.delivered == 2)
        assert (sorted(_came(receiver)), done.filtered) == (["new", "other"], 2)
        later = federation.clock.now() + timedelta(minutes=1)
        await federation.workers.replays.begin(instance.id, begun, later)
        await federation.until(instance, lambda s: s.delivered == 4)
    (replay,) = await federation.configdb.look(list_replays, instance.id)
    assert replay.messages == 2
    assert sorted(_came(receiver)) == ["new", "new", "other", "other"]


async def test_what_is_in_hand_of_a_forgotten_user_is_let_go(
    federation: Federation, receiver: Receiver
) -> None:
    """One is on the wire, and is refused: it leaves no dead letter, those behind it never leave."""
    patient = msgspec.structs.replace(QUICK, timeout_s=10)
    federation.workers = FederationWorkers(
        federation.configdb,
        federation.log,
        federation.vault,
        federation.egress,
        federation.clock,
        patient,
    )
    receiver.delay_s = lambda: FORGOTTEN_WITHIN_S + 0.5
    receiver.always = Answer(status=400)
    instance = federation.connect(receiver.url)
    await federation.keep_order(instance)
    await federation.receive("a", "b", "c", userId="ann")
    async with federation.at_work():
        await receiver.wait_for(1)
        await _forget(federation, "ann")
        done = await federation.until(instance, lambda s: s.filtered == 3)
    assert (_came(receiver), done.waiting, done.dead) == (["a"], 0, 0)


async def test_an_alias_is_forgotten_with_whom_it_names(
    federation: Federation, receiver: Receiver, configdb: ConfigDb
) -> None:
    """It waits under another user's name."""
    receiver.always = Answer(status=400)
    instance = federation.connect(receiver.url)
    async with federation.at_work():
        await federation.receive("alias", type="alias", userId="cy", previousId="ann")
        await federation.receive("own", userId="cy")
        await federation.until(instance, lambda s: s.dead == 2)
    assert await configdb.run(forget_users, ["ann"]) == 1
    with configdb.transaction() as connection:
        rows = connection.execute(sa.select(deliveries.c.message)).scalars().all()
    assert [msgspec.json.decode(row)["message_id"] for row in rows] == ["own"]
