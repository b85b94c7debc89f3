"""Messages on their way to destinations, good and bad."""

import asyncio
from collections import Counter
from datetime import timedelta

import msgspec
import pytest

from headwater.base.settings import FederationSettings
from headwater.base.vault import Vault
from headwater.configdb import ConfigDb, read_position
from headwater.destinations import set_destination_enabled
from headwater.eventlog import Stream
from headwater.federation import (
    delivery_status,
    delivery_view,
    forget_users,
    list_dead_letters,
    list_samples,
    replay_dead_letters,
    resume,
)
from tests.support.federation import QUICK, Federation
from tests.support.messages import a_message
from tests.support.webhook import (
    ENDLESS,
    HANG,
    RESET,
    Answer,
    Received,
    Receiver,
    run_receiver,
)


def ids(receiver: Receiver) -> Counter[str]:
    return Counter(got.json["messageId"] for got in receiver.received)


async def test_each_message_arrives_once(federation: Federation, receiver: Receiver) -> None:
    """In whatever entries they came; the totals say so."""
    instance = federation.connect(receiver.url)
    async with federation.at_work():
        await federation.receive("a", "b")
        await federation.receive("c")
        status = await federation.until(instance, lambda s: s.delivered == 3)
    assert ids(receiver) == {"a": 1, "b": 1, "c": 1}
    assert (status.delivered_first_try, status.waiting, status.dead) == (3, 0, 0)
    assert status.last_delivered_at is not None


async def test_only_what_is_meant_for_it_arrives(
    federation: Federation, receiver: Receiver
) -> None:
    """Not other sources' messages, not what `integrations` excludes, not what came before it."""
    await federation.receive("before")
    await asyncio.sleep(0.01)
    instance = federation.connect(receiver.url)
    await federation.append([a_message("other", received_at=federation.clock.now())])
    await federation.receive("excluded", integrations={"All": False})
    await federation.receive("meant", integrations={"All": False, "Webhook": True})
    async with federation.at_work():
        status = await federation.until(instance, lambda s: s.delivered == 1)
    assert ids(receiver) == {"meant": 1}
    assert status.filtered == 1


async def test_a_message_sent_right_after_adding_is_not_missed(
    federation: Federation, receiver: Receiver
) -> None:
    """The destination was added while nobody looked, behind a long log."""
    for number in range(40):
        await federation.receive(f"old-{number}")
    await asyncio.sleep(0.01)
    instance = federation.connect(receiver.url)
    await federation.receive("first")
    async with federation.at_work():
        await federation.until(instance, lambda s: s.delivered == 1)
    assert ids(receiver) == {"first": 1}


async def test_work_goes_on_where_it_ended(
    federation: Federation, receiver: Receiver, configdb: ConfigDb, vault: Vault
) -> None:
    """A new process repeats nothing that was written down, and misses nothing."""
    instance = federation.connect(receiver.url)
    async with federation.at_work():
        await federation.receive("a")
        await federation.until(instance, lambda s: s.delivered == 1)
    await federation.receive("b")
    async with federation.at_work():
        await federation.until(instance, lambda s: s.delivered == 2)
    assert ids(receiver) == {"a": 1, "b": 1}


@pytest.mark.parametrize(
    "trouble", [*(Answer(status=one) for one in (408, 425, 429, 500, 503, 599)), HANG, RESET]
)
async def test_passing_trouble_is_tried_again(
    federation: Federation, receiver: Receiver, trouble: Answer
) -> None:
    """Until the message is delivered, with the same id each time."""
    receiver.plan(trouble, trouble)
    instance = federation.connect(receiver.url)
    async with federation.at_work():
        await federation.receive("a")
        status = await federation.until(instance, lambda s: s.delivered == 1)
    assert ids(receiver) == {"a": 3}
    assert {got.headers["webhook-id"] for got in receiver.received} == {"a"}
    assert (status.delivered_first_try, status.waiting) == (0, 0)


async def test_an_endless_answer_is_still_an_answer(
    federation: Federation, receiver: Receiver
) -> None:
    """200 and a body without an end: delivered, and the rest is not read."""
    receiver.plan(ENDLESS)
    instance = federation.connect(receiver.url)
    async with federation.at_work():
        await federation.receive("a")
        await federation.until(instance, lambda s: s.delivered == 1)
    assert ids(receiver) == {"a": 1}


@pytest.mark.parametrize("status_code", [302, 400, 404, 422])
async def test_a_refused_message_is_dead_and_can_be_replayed(
    federation: Federation, receiver: Receiver, status_code: int
) -> None:
    """It is kept with status and answer; after the receiver is mended, a replay delivers it."""
    receiver.plan(Answer(status=status_code, body=b"no such field", headers={"Location": "/x"}))
    instance = federation.connect(receiver.url)
    async with federation.at_work():
        await federation.receive("a")
        await federation.receive("b")
        await federation.until(instance, lambda s: s.dead == 1 and s.delivered == 1)
        with federation.configdb.transaction() as connection:
            letter = list_dead_letters(connection, instance.id)[0]
            assert (letter.status, letter.attempts) == (status_code, 1)
            assert "no such field" in letter.error
            assert letter.body["messageId"] == letter.message_id
            assert replay_dead_letters(connection, federation.clock, instance.id) == 1
        status = await federation.until(instance, lambda s: s.delivered == 2)
    assert (status.dead, status.waiting) == (0, 0)
    assert sum(ids(receiver).values()) == 3


async def test_a_replay_can_be_limited_in_time(federation: Federation, receiver: Receiver) -> None:
    """Only dead letters first tried within the range are tried again."""
    receiver.always = Answer(status=400)
    instance = federation.connect(receiver.url)
    async with federation.at_work():
        await federation.receive("a")
        await federation.until(instance, lambda s: s.dead == 1)
    now = federation.clock.now()
    with federation.configdb.transaction() as connection:
        for since, until, count in [
            (now + timedelta(hours=1), None, 0),
            (None, now - timedelta(hours=1), 0),
            (now - timedelta(hours=1), now + timedelta(hours=1), 1),
        ]:
            found = replay_dead_letters(
                connection, federation.clock, instance.id, since=since, until=until
            )
            assert found == count


async def test_too_many_requests_are_answered_by_waiting(
    federation: Federation, receiver: Receiver
) -> None:
    """429 with `Retry-After: 1`: nothing at all is sent for a second, then everything."""
    receiver.plan(Answer(status=429, headers={"Retry-After": "1"}))
    instance = federation.connect(receiver.url)
    async with federation.at_work():
        await federation.receive("a")
        await federation.until(instance, lambda s: s.rests_s > 0)
        await federation.receive("b")
        await federation.until(instance, lambda s: s.delivered == 2)
    assert ids(receiver) == {"a": 2, "b": 1}
    assert receiver.received[1].at_s - receiver.received[0].at_s >= 0.95


async def test_after_long_trouble_a_message_is_given_up(
    configdb: ConfigDb, vault: Vault, receiver: Receiver
) -> None:
    """It becomes a dead letter that says how often it was tried."""
    receiver.always = Answer(status=500)
    settings = FederationSettings(
        retry_first_s=0.05, retry_cap_s=0.1, give_up_after_s=1, pause_cap_s=0.1, poll_s=0.02
    )
    federation = Federation(configdb, vault, settings=settings)
    instance = federation.connect(receiver.url)
    async with federation.at_work():
        await federation.receive("a")
        status = await federation.until(instance, lambda s: s.dead == 1)
    assert "given up after" in status.last_error
    await federation.close()


async def test_a_destination_that_was_down_gets_everything(
    federation: Federation, receiver: Receiver
) -> None:
    """Fifty messages in its absence, fifty when it is back, none lost and none twice."""
    receiver.always = Answer(status=503)
    instance = federation.connect(receiver.url)
    async with federation.at_work():
        for number in range(50):
            await federation.receive(f"m-{number}")
        await receiver.wait_for(8)
        down = list(receiver.received)
        receiver.always = None
        await federation.until(instance, lambda s: s.delivered == 50, within_s=20)
    accepted = Counter(got.json["messageId"] for got in receiver.received[len(down) :])
    tried_again = {got.json["messageId"] for got in down}
    assert accepted.keys() | tried_again == {f"m-{number}" for number in range(50)}
    assert len(down) < 200, "a resting destination was not left alone"


async def test_while_a_destination_rests_its_messages_wait_in_the_log(
    configdb: ConfigDb, vault: Vault, receiver: Receiver
) -> None:
    """Few are parked in the database, and the position holds the log back."""
    receiver.always = Answer(status=503, headers={"Retry-After": "60"})
    settings = FederationSettings(retry_first_s=30, pause_cap_s=60, poll_s=0.02, concurrency=1)
    federation = Federation(configdb, vault, settings=settings)
    instance = federation.connect(receiver.url)
    async with federation.at_work():
        await federation.receive(*(f"first-{number}" for number in range(5)))
        await federation.until(instance, lambda s: s.waiting == 5 and s.rests_s > 1)
        for number in range(40):
            await federation.receive(f"m-{number}")
        await asyncio.sleep(0.3)
        status = await federation.workers.status(instance.id)
    assert status.waiting == 5
    assert status.behind_entries == 40
    await federation.close()


async def test_a_dead_destination_is_not_asked_for_every_message(
    configdb: ConfigDb, vault: Vault, receiver: Receiver
) -> None:
    """After five failures in a row the rest of an entry is parked untried, and none comes early."""
    receiver.always = Answer(status=503)
    settings = FederationSettings(
        retry_first_s=60, retry_cap_s=60, pause_cap_s=60, poll_s=0.02, concurrency=1
    )
    federation = Federation(configdb, vault, settings=settings)
    instance = federation.connect(receiver.url)
    async with federation.at_work():
        await federation.receive(*(f"m-{number}" for number in range(100)))
        status = await federation.until(instance, lambda s: s.waiting == 100)
        assert status.behind_entries == 0
    assert len(receiver.received) == 5
    await federation.close()


async def test_a_retry_waits_for_its_time(
    configdb: ConfigDb, vault: Vault, receiver: Receiver
) -> None:
    """With a first wait of some seconds there is no second attempt at once."""
    receiver.plan(500)
    settings = FederationSettings(retry_first_s=60, poll_s=0.02)
    federation = Federation(configdb, vault, settings=settings)
    instance = federation.connect(receiver.url)
    async with federation.at_work():
        await federation.receive("a")
        await federation.until(instance, lambda s: s.waiting == 1)
        await asyncio.sleep(0.3)
    assert ids(receiver) == {"a": 1}
    await federation.close()


async def test_old_messages_of_a_resting_destination_are_parked(
    configdb: ConfigDb, vault: Vault, receiver: Receiver
) -> None:
    """So that the log can forget them; they are delivered all the same."""
    receiver.always = Answer(status=503)
    settings = FederationSettings(
        retry_first_s=0.05, retry_cap_s=0.1, pause_cap_s=0.5, poll_s=0.02, park_after_s=0
    )
    federation = Federation(configdb, vault, settings=settings)
    instance = federation.connect(receiver.url)
    async with federation.at_work():
        for number in range(40):
            await federation.receive(f"m-{number}")
        status = await federation.until(
            instance, lambda s: s.behind_entries == 0 and s.waiting == 40
        )
        assert status.delivered == 0
        receiver.always = None
        await federation.until(instance, lambda s: s.delivered == 40 and s.waiting == 0)
    await federation.close()


async def test_a_slow_destination_slows_no_other(
    federation: Federation, receiver: Receiver
) -> None:
    """One hangs for good; the other has everything long before the first times out twice."""
    async with run_receiver() as slow:
        slow.always = HANG
        federation.connect(slow.url)
        healthy = federation.connect(receiver.url)
        async with federation.at_work():
            await federation.until(healthy, lambda s: s.behind_entries is not None)
            begin_s = asyncio.get_running_loop().time()
            for number in range(30):
                await federation.receive(f"m-{number}")
            await federation.until(healthy, lambda s: s.delivered == 30)
            took_s = asyncio.get_running_loop().time() - begin_s
    assert took_s < 2 * QUICK.timeout_s + 1
    assert len(ids(receiver)) == 30


async def test_a_disabled_destination_misses_what_passes(
    federation: Federation, receiver: Receiver, configdb: ConfigDb
) -> None:
    """Switching is noticed within two seconds, and the log is held back no more."""
    instance = federation.connect(receiver.url)

    async def switch(*, enabled: bool) -> None:
        await configdb.run(set_destination_enabled, federation.clock, instance.id, enabled=enabled)
        await asyncio.sleep(1.3)

    async with federation.at_work():
        await federation.receive("a")
        await federation.until(instance, lambda s: s.delivered == 1)
        await switch(enabled=False)
        await federation.receive("b")
        await asyncio.sleep(0.1)
        assert await configdb.run(read_position, instance.reader) is None
        await switch(enabled=True)
        await federation.receive("c")
        await federation.until(instance, lambda s: s.delivered == 2)
    assert ids(receiver) == {"a": 1, "c": 1}


async def test_switching_off_during_a_delivery_lets_go_of_the_log(
    federation: Federation, receiver: Receiver, configdb: ConfigDb
) -> None:
    """A delivery that ends after the switch must not bring the position back."""
    receiver.always = HANG
    instance = federation.connect(receiver.url)
    async with federation.at_work():
        await federation.receive("a")
        await receiver.wait_for(1)
        await configdb.run(set_destination_enabled, federation.clock, instance.id, enabled=False)
        await federation.until(instance, lambda s: s.waiting == 1)
    assert await configdb.run(read_position, instance.reader) is None


async def test_a_destination_added_later_is_noticed(
    federation: Federation, receiver: Receiver
) -> None:
    """Without a restart, within two seconds."""
    async with federation.at_work():
        await asyncio.sleep(0.05)
        instance = federation.connect(receiver.url)
        await federation.receive("a")
        await federation.until(instance, lambda s: s.delivered == 1, within_s=3)


async def test_batches_share_one_request(federation: Federation, receiver: Receiver) -> None:
    """`batch_size` is respected across entries, and each message is counted."""
    instance = federation.connect(receiver.url, batch_size="10")
    await federation.receive(*(f"m-{number}" for number in range(25)))
    async with federation.at_work():
        await federation.until(instance, lambda s: s.delivered == 25)
    assert sorted(len(got.json) for got in receiver.received) == [5, 10, 10]


async def test_stopping_writes_down_what_was_delivered(
    configdb: ConfigDb, vault: Vault, receiver: Receiver
) -> None:
    """Some were delivered, one hangs when the server drains: only that one is sent again."""
    receiver.plan(200, 200, HANG)
    settings = FederationSettings(poll_s=0.02, concurrency=1)
    federation = Federation(configdb, vault, settings=settings)
    instance = federation.connect(receiver.url)
    await federation.receive("a", "b", "c", "d")
    async with federation.at_work():
        await receiver.wait_for(3)
    with configdb.transaction() as connection:
        status = delivery_status(connection, instance.id)
        assert (status.delivered, status.waiting) == (2, 2)
    async with federation.at_work():
        await federation.until(instance, lambda s: s.delivered == 4)
    assert ids(receiver) == {"a": 1, "b": 1, "c": 2, "d": 1}
    await federation.close()


async def test_the_same_message_twice_in_the_log_stops_nothing(
    federation: Federation, receiver: Receiver
) -> None:
    """A repeat that slipped into the log must not trip over its twin's row."""
    # By message: how often the twin is sent depends on how far the first one is.
    receiver.judge = lambda got: 400 if got.json["messageId"] == "a" else 200
    instance = federation.connect(receiver.url)
    async with federation.at_work():
        await federation.receive("a", "a")
        await federation.receive("a")
        await federation.receive("b")
        await federation.until(instance, lambda s: s.delivered >= 1 and s.behind_entries == 0)
    assert ids(receiver)["b"] == 1


async def test_a_record_that_nobody_can_read_stops_no_message(
    federation: Federation, receiver: Receiver
) -> None:
    """It is counted for the operator, and what follows arrives."""
    instance = federation.connect(receiver.url)
    async with federation.at_work():
        await federation.log.append(Stream.MESSAGES, b'{"strange":1}\nnot even JSON')
        await federation.receive("m-1")
        await federation.until(instance, lambda status: status.delivered == 1)
    status = await federation.workers.status(instance.id)
    assert (status.unreadable, status.behind_entries) == (2, 0)
    assert [got.json["messageId"] for got in receiver.received] == ["m-1"]


async def test_a_users_messages_keep_their_order_where_it_is_asked_for(
    federation: Federation, receiver: Receiver
) -> None:
    """One that has to wait holds back its user's later ones, in other entries too; others go on."""
    instance = federation.connect(receiver.url)
    await federation.keep_order(instance)
    failing = {"ann-0": 3, "ann-5": 2}

    def judge(got: Received) -> int:
        message_id = got.json["messageId"]
        failing[message_id] = failing.get(message_id, 0) - 1
        return 500 if failing[message_id] >= 0 else 200

    receiver.judge = judge
    async with federation.at_work():
        for number in range(10):
            await federation.receive(f"ann-{number}", userId="ann")
            await federation.receive(f"bob-{number}", userId="bob")
            await asyncio.sleep(0.01)
        await federation.until(instance, lambda s: s.delivered == 20)
    arrived = [got.json["messageId"] for got in receiver.received]
    for user in ("ann", "bob"):
        mine = list(dict.fromkeys(one for one in arrived if one.startswith(user)))
        assert mine == [f"{user}-{number}" for number in range(10)]
        assert [one for one in arrived if one.startswith(user)] == sorted(
            one for one in arrived if one.startswith(user)
        )
    assert ids(receiver)["ann-0"] == 4
    assert arrived.index("bob-0") < arrived.index("ann-1")


async def test_a_record_that_is_no_message_stops_nothing(
    federation: Federation, receiver: Receiver, configdb: ConfigDb
) -> None:
    """It is counted and set aside, where people see it; those around it are delivered."""
    instance = federation.connect(receiver.url)
    now = federation.clock.now()
    good = [a_message(one, source_id=federation.source.id, received_at=now) for one in "ab"]
    lines = [msgspec.json.encode(good[0]), b'{"broken', msgspec.json.encode(good[1])]
    await federation.log.append(Stream.MESSAGES, b"\n".join(lines))
    async with federation.at_work():
        status = await federation.until(instance, lambda s: s.delivered == 2)
    assert ids(receiver) == {"a": 1, "b": 1}
    assert status.unreadable == 1
    samples = await configdb.look(list_samples, instance.id)
    assert [(one.error_class, one.received) for one in samples] == [("unreadable", '{"broken')]


@pytest.mark.parametrize("refusal", [401, 403])
async def test_a_refused_key_pauses_the_destination_until_somebody_mends_it(
    federation: Federation, receiver: Receiver, configdb: ConfigDb, refusal: int
) -> None:
    """No message dies of it, and none is tried in vain; then all arrive."""
    receiver.always = Answer(status=refusal, body=b"who are you")
    instance = federation.connect(receiver.url)
    async with federation.at_work():
        await federation.receive("a")
        status = await federation.until(instance, lambda s: bool(s.paused))
        await federation.receive("b", "c")
        await asyncio.sleep(0.2)
        assert "who are you" in status.paused
        assert len(receiver.received) == 1
        receiver.always = None
        await asyncio.sleep(1.2)  # the worker has seen that it is paused
        await configdb.run(resume, instance.id)
        status = await federation.until(instance, lambda s: s.delivered == 3)
    assert (status.dead, status.paused) == (0, "")


async def test_an_address_that_is_gone_switches_the_destination_off(
    federation: Federation, receiver: Receiver
) -> None:
    """410 says for ever; the message is dead, and switching it on again sends again."""
    receiver.plan(410)
    instance = federation.connect(receiver.url)
    async with federation.at_work():
        await federation.receive("a")
        status = await federation.until(instance, lambda s: not s.enabled)
        assert (status.dead, status.paused) == (1, "switched off, since it answered 410: ok")
        await asyncio.sleep(1.2)
        with federation.configdb.transaction() as connection:
            set_destination_enabled(connection, federation.clock, instance.id, enabled=True)
        await federation.receive("b")
        status = await federation.until(instance, lambda s: s.delivered == 1)
    assert status.paused == ""


async def test_thousands_that_wait_are_read_and_written_in_bounded_questions(
    federation: Federation, receiver: Receiver
) -> None:
    """More than a database takes as parameters of one question, of as many users."""
    receiver.always = Answer(status=503)
    instance = federation.connect(receiver.url, batch_size="4000")
    await federation.keep_order(instance)
    now = federation.clock.now()
    messages = [
        a_message(f"m-{n}", source_id=federation.source.id, received_at=now, userId=f"u-{n}")
        for n in range(40_000)
    ]
    for start in range(0, len(messages), 2_000):
        await federation.append(messages[start : start + 2_000])
    async with federation.at_work():
        await federation.until(instance, lambda s: s.waiting >= 2_000, within_s=20)
        receiver.always = None
        status = await federation.until(instance, lambda s: s.delivered == 40_000, within_s=40)
    assert (status.waiting, status.dead) == (0, 0)


async def test_samples_show_what_was_received_sent_and_answered(
    federation: Federation, receiver: Receiver, configdb: ConfigDb
) -> None:
    """Ten of each class of error, the newest; without what looks like a secret."""
    receiver.always = Answer(status=422, body=b"plan is unknown")
    instance = federation.connect(receiver.url)
    async with federation.at_work():
        traits = {"plan": "x", "password": "hunter2"}
        await federation.receive(*(f"m-{n}" for n in range(25)), traits=traits)
        await federation.until(instance, lambda s: s.dead == 25)
    samples = await configdb.look(list_samples, instance.id)
    assert [one.error_class for one in samples] == ["discarded.422"] * 10
    assert '"plan":"x"' in samples[0].received
    assert "hunter2" not in samples[0].received
    assert samples[0].answered == "422\nplan is unknown"
    assert samples[0].sent.startswith("POST http://127.0.0.1")


async def test_a_view_tells_rates_ages_and_errors(
    federation: Federation, receiver: Receiver, configdb: ConfigDb
) -> None:
    """Of eight messages one is refused and one comes at the second try."""
    receiver.plan(500, 400)
    instance = federation.connect(receiver.url)
    async with federation.at_work():
        await federation.receive(*(f"m-{n}" for n in range(8)))
        await federation.until(instance, lambda s: (s.delivered, s.dead) == (7, 1))
    now = federation.clock.now()
    span = (now - timedelta(hours=2), now + timedelta(hours=1))
    view = await configdb.look(delivery_view, instance.id, *span)
    assert (view.delivered, view.dead) == (7, 1)
    assert (view.first_try_share, view.delivered_share) == (round(6 / 7, 4), round(7 / 8, 4))
    assert view.age_p50_s is not None
    assert view.age_p99_s is not None
    assert 0 < view.age_p50_s <= view.age_p99_s < 10
    assert {one.error_class for one in view.errors} == {"awaiting-retry.500", "discarded.400"}
    assert all(one.attempts == len(one.samples) == 1 for one in view.errors)
    assert sum(one.delivered for one in view.hours) == 7


async def test_a_forgotten_user_waits_nowhere(
    federation: Federation, receiver: Receiver, configdb: ConfigDb
) -> None:
    """Neither dead nor waiting, nor as a sample in whoever's request; other users stay."""
    receiver.always = Answer(status=400)
    instance = federation.connect(receiver.url)
    async with federation.at_work():
        await federation.receive("a", userId="ann")
        await federation.receive("b", userId="bob")
        await federation.until(instance, lambda s: s.dead == 2)
    assert await configdb.run(forget_users, ["ann"]) == 1
    dead = await configdb.look(list_dead_letters, instance.id)
    samples = await configdb.look(list_samples, instance.id)
    assert [one.user_id for one in dead] == ["bob"]
    assert samples == []
