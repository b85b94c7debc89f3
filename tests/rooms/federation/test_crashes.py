"""The process dies at the worst instants of delivering; nothing is lost."""

from collections import Counter
from pathlib import Path

import pytest

from tests.support.eventually import eventually
from tests.support.house_two import connect, house_two
from tests.support.webhook import receiving


@pytest.mark.parametrize(
    ("point", "times"), [("federation.before_write:1", 2), ("federation.after_write:1", 1)]
)
def test_a_delivery_survives_the_death_of_its_courier(
    tmp_path: Path, point: str, times: int
) -> None:
    """Delivered and not written down: sent again with the same id. Written down: never again."""
    with receiving() as receiver:
        key = connect(tmp_path, receiver.url)
        with house_two(tmp_path, crash_at=point) as dying:
            assert dying.identify(key, "first") == 200
            assert dying.process.wait(20) == 137
        with house_two(tmp_path) as server:
            assert server.identify(key, "last") == 200
            eventually(lambda: len(receiver.received) == times + 1)
    ids = Counter(got.json["messageId"] for got in receiver.received)
    assert ids == {"first": times, "last": 1}
