"""The server dies at the worst instants of delivering; nothing is lost."""

from collections import Counter
from pathlib import Path

import pytest

from tests.support.eventually import eventually
from tests.support.server import serving, start
from tests.support.webhook import receiving

ROLES = ("--role", "tracking,federation,web")
PRIVATE = {"HEADWATER_EGRESS__ALLOW": "127.0.0.0/8"}


@pytest.mark.parametrize(
    ("point", "times"), [("federation.before_write", 2), ("federation.after_write", 1)]
)
def test_a_delivery_survives_the_death_of_its_courier(
    tmp_path: Path, point: str, times: int
) -> None:
    """Delivered and not written down: sent again with the same id. Written down: never again."""
    with receiving() as receiver:
        with serving(tmp_path, PRIVATE, *ROLES) as server:
            source = server.api("POST", "/api/v1/sources", {"type": "python", "name": "Shop"})
            body = {"type": "webhook", "source": "shop", "settings": {"url": receiver.url}}
            server.api("POST", "/api/v1/destinations", body)
        dying = start(tmp_path, PRIVATE | {"HEADWATER_CRASH_AT": f"{point}:1"}, *ROLES)
        message = {"userId": "u", "messageId": "m-1", "writeKey": source["write_key"]}
        assert dying.ask("POST", "/v1/identify", message).status == 200
        assert dying.process.wait(20) == 137
        assert dying.process.stdout is not None
        dying.process.stdout.close()
        with serving(tmp_path, PRIVATE, *ROLES) as server:
            last = {"userId": "u", "messageId": "m-2", "writeKey": source["write_key"]}
            assert server.ask("POST", "/v1/identify", last).status == 200
            eventually(lambda: len(receiver.received) == times + 1)
    ids = Counter(got.json["messageId"] for got in receiver.received)
    assert ids == {"m-1": times, "m-2": 1}
