"""Answers that are neither yes nor no: to a part of a batch, or to how much comes at once."""

from collections import Counter

from headwater.base.settings import FederationSettings
from headwater.base.vault import Vault
from headwater.configdb import ConfigDb
from tests.support.federation import Federation
from tests.support.webhook import Received, Receiver

_ANSWER_S = 0.02


async def test_of_a_batch_only_what_failed_is_tried_again(
    federation: Federation, receiver: Receiver
) -> None:
    """Too large, it is halved; one half fails and comes again, what is too large alone is dead."""
    instance = federation.connect(receiver.url, batch_size="8")
    came: Counter[str] = Counter()
    failing = [True]

    def judge(got: Received) -> int:
        ids = [one["messageId"] for one in got.json]
        if len(ids) > 2 or "huge" in ids:
            return 413
        if "m-6" in ids and failing:
            failing.pop()
            return 503
        came.update(ids)
        return 200

    receiver.judge = judge
    async with federation.at_work():
        await federation.receive("huge", *(f"m-{n}" for n in range(1, 8)))
        status = await federation.until(instance, lambda s: (s.delivered, s.dead) == (7, 1))
    assert came == {f"m-{n}": 1 for n in range(1, 8)}
    assert status.delivered_first_try == 5
    assert "413" in status.last_error


async def test_a_destination_gets_as_much_at_once_as_it_takes(
    configdb: ConfigDb, vault: Vault, receiver: Receiver
) -> None:
    """It answers 429 beyond four at once: few are refused, though dozens could be on the wire."""
    settings = FederationSettings(retry_first_s=0.05, retry_cap_s=0.05, poll_s=0.02)
    federation = Federation(configdb, vault, settings=settings)
    instance = federation.connect(receiver.url)
    on_wire: list[float] = []
    refused = 0

    def judge(got: Received) -> int:
        nonlocal refused
        on_wire[:] = [at_s for at_s in on_wire if got.at_s - at_s < _ANSWER_S]
        on_wire.append(got.at_s)
        refused += len(on_wire) > 4
        return 429 if len(on_wire) > 4 else 200

    receiver.judge = judge
    receiver.delay_s = lambda: _ANSWER_S
    async with federation.at_work():
        await federation.receive(*(f"m-{n}" for n in range(300)))
        status = await federation.until(instance, lambda s: s.delivered == 300, within_s=20)
    assert (status.dead, status.waiting) == (0, 0)
    assert 0 < refused < 150
    await federation.close()
