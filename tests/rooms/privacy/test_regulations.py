"""Regulations: users suppressed and deleted at every target, and a word about each."""

from types import SimpleNamespace
from typing import NoReturn

import pytest
import sqlalchemy as sa

from headwater.base import crash
from headwater.base.errors import InvalidInputError
from headwater.configdb.tables import regulations
from headwater.model import Message
from headwater.privacy import Regulation, list_regulations
from headwater.sources import Forgotten, suppressed_marks
from tests.rooms.privacy.house import House
from tests.support.messages import a_message
from tests.support.vendor import Contract
from tests.support.webhook import Answer, Receiver

DELETIONS = Contract.of("amplitude", "deletions")
KEYS = {"api_key": "api-key", "secret_key": "secret-key"}
PLANTED = "ann-9b1d7c52"
SETTLED_S = 3.1
ANSWERED_S = 10.0
"""How long a request may be on the wire."""


async def _furnish(house: House, vendor: Receiver) -> None:
    """Bring a planted user and bob everywhere."""
    vendor.always = DELETIONS.answer("taken")
    slack = await house.connect(
        "slack", "Chat", webhook_url="https://hooks.slack.com/services/T/B/x"
    )
    await house.connect("amplitude", "Numbers", **KEYS, url=vendor.url)
    for number, user in enumerate((PLANTED, "bob")):
        await house.receive(f"i{number}", user, traits={"plan": "pro"})
        await house.let_wait(slack, f"w{number}", user)
    await house.load()


def _states(found: Regulation) -> dict[str, str]:
    return {target.name: target.state for target in found.targets}


def _words(found: Regulation) -> dict[str, str]:
    return {target.name: target.word for target in found.targets}


async def test_a_user_is_deleted_everywhere_and_each_place_says_so(
    house: House, receiver: Receiver
) -> None:
    """What waits, warehouse and vendor; who cannot delete says so; no file holds the id."""
    await _furnish(house, receiver)
    assert house.rows_with(PLANTED) == len(("identifies", "users"))
    assert house.where_is(PLANTED)
    asked = await house.regulations.begin("suppress_with_delete", [PLANTED])
    assert (asked.state, asked.users, await house.regulations.step()) == ("initialized", 1, 0)
    assert await house.pass_time(SETTLED_S) == 2
    assert (await house.show(asked)).state == "running"
    assert await house.pass_time(ANSWERED_S) == 1
    done = await house.show(asked)
    assert (done.state, done.finished_at) == ("partly_failed", house.clock.now())
    assert _states(done) == {
        "Messages": "done", "DuckDB": "done", "Chat": "not_supported", "Numbers": "done",
    }  # fmt: skip
    assert _words(done) == {
        "Messages": "Nothing of before is read any more; 1 waiting or dead messages dropped.",
        "DuckDB": "2 rows deleted from 2 tables.",
        "Chat": "Deleting is not supported by Slack. Delete the users there by hand.",
        "Numbers": "Took the deletion of 1 user.",
    }
    assert DELETIONS.check(receiver.received[0])["user_ids"] == [PLANTED]
    assert (house.users(), house.rows_with(PLANTED)) == (["bob"], 0)
    # DuckDB leaves bytes of deleted rows in free blocks of its file; the guide says so.
    assert set(house.where_is(PLANTED)) <= {house.file.name}


async def test_a_death_at_any_step_is_made_good(
    house: House, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each target in turn the process dies; the next one ends what was begun."""
    await _furnish(house, receiver)
    monkeypatch.setattr(crash, "os", SimpleNamespace(_exit=_die))
    for point in ("privacy.messages", "privacy.warehouse", "privacy.destination"):
        asked = await house.regulations.begin("delete_only", [PLANTED])
        monkeypatch.setattr(crash, "_WANTED", point)
        monkeypatch.setattr(crash, "_left", 1)
        with pytest.raises(BaseExceptionGroup):
            await house.pass_time(SETTLED_S + ANSWERED_S)
        assert (await house.show(asked)).state == "running"
        house.begin_anew()
        await house.regulations.step()
        assert set(_states(await house.show(asked)).values()) == {"done", "not_supported"}
    assert house.users() == ["bob"]


class Killed(BaseException):
    """The process is no more; nobody may catch this and go on."""


def _die(_code: int) -> NoReturn:
    raise Killed


async def test_a_target_that_fails_is_tried_again_and_stops_no_other(
    house: House, receiver: Receiver
) -> None:
    """With growing patience, as long as it asks, from where it was; the word says why."""
    users = [f"user-{number:03}" for number in range(150)]
    await house.connect("amplitude", "Numbers", **KEYS, url=receiver.url)
    taken = DELETIONS.answer("taken")
    receiver.plan(
        taken, Answer(status=503, headers={"retry-after": "600"}, body=b"user-120?"), taken
    )
    asked = await house.regulations.begin("delete_only", users)
    assert await house.pass_time(SETTLED_S + ANSWERED_S) == 2
    found = (await house.show(asked)).targets[1]
    assert (found.state, found.users_done, found.attempts) == ("waiting", 100, 1)
    assert found.word == "answered 503: •••?"
    assert await house.pass_time(599) == 0
    assert await house.pass_time(2) == 1
    done = await house.show(asked)
    assert (done.state, _words(done)["Numbers"]) == ("finished", "Took the deletion of 150 users.")
    assert [len(got.json["user_ids"]) for got in receiver.received] == [100, 50, 50]


async def test_what_is_refused_or_never_taken_is_a_failure_that_is_told(
    house: House, receiver: Receiver
) -> None:
    """A key is missing; a vendor is away for days: partly failed, and the ids are not kept."""
    await house.connect("amplitude", "No key", api_key="k", url=receiver.url)
    await house.connect("amplitude", "Away", **KEYS, url=receiver.url)
    receiver.always = Answer(status=500)
    asked = await house.regulations.begin("delete_only", ["ann"])
    await house.pass_time(SETTLED_S + ANSWERED_S)
    await house.pass_time(house.settings.privacy.give_up_after_s)
    done = await house.show(asked)
    assert (done.state, set(_states(done).values())) == ("partly_failed", {"done", "failed"})
    assert _words(done)["No key"].startswith("Refused 1 user of 1: the secret key")
    assert _words(done)["Away"] == "Given up: answered 500: ok"
    with house.configdb.transaction() as connection:
        assert connection.execute(sa.select(regulations.c.user_ids_sealed)).scalar() == ""


async def test_a_warehouse_that_was_removed_is_told(house: House) -> None:
    """Its tables are still there: somebody has to know."""
    await house.receive("i1", "ann")
    warehouse_id = await house.load()
    asked = await house.regulations.begin("delete_only", ["ann"])
    await house.warehouses.remove(warehouse_id)
    await house.pass_time(SETTLED_S)
    done = await house.show(asked)
    assert (done.state, _states(done)["DuckDB"]) == ("partly_failed", "failed")
    assert "There is no warehouse" in _words(done)["DuckDB"]


async def test_who_is_heard_again_is_heard_of_new_things_only(house: House) -> None:
    """Suppressing hides what is there; unsuppressing lets in what comes, brings nothing back."""
    forgotten = Forgotten(house.configdb, house.vault, house.clock)

    async def sees(message: Message) -> bool:
        await forgotten.refresh()
        return not forgotten.hides(message)

    old = a_message("old", userId="ann", received_at=house.clock.now())
    asked = await house.regulations.begin("suppress", ["ann", "ann"])
    assert (asked.users, _states(asked)) == (1, {"Messages": "waiting"})
    assert len(await house.configdb.look(suppressed_marks)) == 1
    await house.pass_time(SETTLED_S)
    assert (await house.show(asked)).state == "finished"
    back = await house.regulations.begin("unsuppress", ["ann"])
    assert (back.state, back.targets) == ("finished", ())
    assert not await house.configdb.look(suppressed_marks)
    new = a_message("new", userId="ann", received_at=house.clock.now())
    alias = a_message("alias", userId="cy", previousId="ann", received_at=old.received_at)
    assert [await sees(one) for one in (old, alias, new)] == [False, False, True]
    found = await house.configdb.look(list_regulations, 1, back.id)
    assert [one.id for one in found] == [asked.id]


@pytest.mark.parametrize(
    ("kind", "user_ids", "field"),
    [
        ("forget", ["ann"], "kind"),
        ("suppress", [], "user_ids"),
        ("delete_only", ["ann", ""], "user_ids"),
        ("unsuppress", ["u"] * 5001, "user_ids"),
    ],
)
async def test_what_cannot_be_carried_out_is_refused(
    house: House, kind: str, user_ids: list[str], field: str
) -> None:
    """With the field's name; nothing is kept of it."""
    with pytest.raises(InvalidInputError) as caught:
        await house.regulations.begin(kind, user_ids)
    assert caught.value.field == field
    assert await house.configdb.look(list_regulations, 10) == []
