"""The server dies at the worst instants of receiving; clients send again, as they do."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tests.support.eventually import eventually
from tests.support.server import Server, serving, start
from tests.support.webhook import Receiver, receiving

ROLES = ("--role", "tracking,federation,web")
PRIVATE = {"HEADWATER_EGRESS__ALLOW": "127.0.0.0/8"}


def connect(server: Server, url: str) -> str:
    """Add a source with a webhook; return the write key."""
    source: dict[str, Any] = server.api(
        "POST", "/api/v1/sources", {"type": "python", "name": "Shop"}
    )
    body = {"type": "webhook", "source": "shop", "settings": {"url": url}}
    server.api("POST", "/api/v1/destinations", body)
    key: str = source["write_key"]
    return key


def post(server: Server, key: str, message_id: str) -> int:
    """Send one identify; 0 when the server died before it answered."""
    body = {"userId": "u", "messageId": message_id, "writeKey": key}
    try:
        return server.ask("POST", "/v1/identify", body).status
    except urllib3.exceptions.HTTPError:
        return 0


def arrived(receiver: Receiver) -> Counter[str]:
    return Counter(got.json["messageId"] for got in receiver.received)


@pytest.mark.parametrize(
    "point", ["tracking.before_append", "tracking.after_append", "tracking.before_mark"]
)
def test_a_message_survives_the_death_of_its_receiver_once(tmp_path: Path, point: str) -> None:
    """Before the append, between append and answer, between answer and mark: stored once."""
    with receiving() as receiver:
        with serving(tmp_path, PRIVATE, *ROLES) as server:
            key = connect(server, receiver.url)
            assert post(server, key, "before") == 200
            eventually(lambda: arrived(receiver)["before"])
        dying = start(tmp_path, PRIVATE | {"HEADWATER_CRASH_AT": f"{point}:1"}, *ROLES)
        post(dying, key, "during")
        assert dying.process.wait(20) == 137
        assert dying.process.stdout is not None
        dying.process.stdout.close()
        with serving(tmp_path, PRIVATE, *ROLES) as server:
            assert post(server, key, "during") == 200
            assert post(server, key, "before") == 200
            assert post(server, key, "after") == 200
            eventually(lambda: arrived(receiver)["after"])
    assert arrived(receiver) == {"before": 1, "during": 1, "after": 1}
