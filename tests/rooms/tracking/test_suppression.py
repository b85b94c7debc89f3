"""Suppressed users at the Tracking API's door."""

from datetime import UTC, datetime, timedelta

import pytest

from headwater.base.clock import SetClock
from headwater.base.errors import InvalidInputError
from headwater.base.vault import Vault
from headwater.configdb import ConfigDb
from headwater.sources import SUPPRESSED_WITHIN_S, allow_ids, list_suppressed_ids, suppress_ids
from tests.support.tracking_door import Door

_NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> SetClock:
    return SetClock(_NOON)


async def test_nothing_enters_for_a_suppressed_user(
    configdb: ConfigDb, vault: Vault, clock: SetClock
) -> None:
    """Their messages are answered and never kept, whichever id names them; others enter."""
    door = Door(configdb, clock=clock)
    key = door.add_source().write_key
    with configdb.transaction() as connection:
        suppress_ids(connection, vault, clock, ["gone"])
    batch = [
        {"type": "track", "event": "A", "userId": "gone"},
        {"type": "alias", "userId": "new", "previousId": "gone"},
        {"type": "track", "event": "B", "userId": "here"},
    ]
    try:
        assert (await door.call("/v1/batch", {"batch": batch}, key)).status == 200
        assert (await door.call("/v1/track", batch[0], key)).status == 200
        assert [message.user_id for message in await door.messages()] == ["here"]
    finally:
        await door.close()


async def test_a_change_is_noticed_within_seconds(
    configdb: ConfigDb, vault: Vault, clock: SetClock
) -> None:
    """Both suppressing and allowing take hold at a door that is at work."""
    door = Door(configdb, clock=clock)
    key = door.add_source().write_key

    async def send(event: str) -> None:
        body = {"event": event, "userId": "ann"}
        assert (await door.call("/v1/track", body, key)).status == 200

    try:
        await send("before")
        with configdb.transaction() as connection:
            suppress_ids(connection, vault, clock, ["ann"])
        clock.move(timedelta(seconds=SUPPRESSED_WITHIN_S))
        await send("never")
        with configdb.transaction() as connection:
            allow_ids(connection, vault, ["ann"])
        clock.move(timedelta(seconds=SUPPRESSED_WITHIN_S))
        await send("after")
        assert [message.body["event"] for message in await door.messages()] == ["before", "after"]
    finally:
        await door.close()


def test_the_list_names_nobody(configdb: ConfigDb, vault: Vault, clock: SetClock) -> None:
    """Saying it twice changes nothing; only fingerprints are kept."""
    with configdb.transaction() as connection:
        assert suppress_ids(connection, vault, clock, ["ann", "bob", "ann"]) == 2
        assert suppress_ids(connection, vault, clock, ["bob", "cy"]) == 1
        assert allow_ids(connection, vault, ["bob", "dan"]) == 1
        kept = list_suppressed_ids(connection)
    assert len(kept) == 2
    assert not any(name in repr(kept) for name in ("'ann'", "'cy'"))


@pytest.mark.parametrize("user_ids", [[], [""], [f"u{n}" for n in range(5001)]])
def test_a_wrong_list_of_users_is_refused(
    configdb: ConfigDb, vault: Vault, clock: SetClock, user_ids: list[str]
) -> None:
    """Nobody, an empty id and more than 5,000 are errors of the one who asks."""
    with configdb.transaction() as connection, pytest.raises(InvalidInputError):
        suppress_ids(connection, vault, clock, user_ids)
