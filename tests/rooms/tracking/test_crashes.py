"""The process dies at the worst instants of receiving; clients send again, as they do."""

from pathlib import Path

import pytest

from tests.support.house_two import connect, house_two, logged_ids


@pytest.mark.parametrize(
    "point", ["tracking.before_append:2", "tracking.after_append:2", "tracking.before_mark:1"]
)
def test_a_message_survives_the_death_of_its_receiver_once(tmp_path: Path, point: str) -> None:
    """Before the append, between append and answer, between answer and mark: stored once."""
    key = connect(tmp_path)
    with house_two(tmp_path, crash_at=point) as dying:
        assert dying.identify(key, "before") == 200
        dying.identify(key, "during")
        assert dying.process.wait(20) == 137
    with house_two(tmp_path) as server:
        for message_id in ("during", "before", "after"):
            assert server.identify(key, message_id) == 200
    assert logged_ids(tmp_path) == {"before": 1, "during": 1, "after": 1}
