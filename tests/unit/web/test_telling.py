"""One sentence says how a connection is doing; what stops it comes before what delays it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from headwater.extensions import Backfill, Run, Status
from headwater.web.extensions.telling import tell_health, tell_progress, tell_run
from headwater.workspace import App

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
APP = App(id="a", name="A", timezone="Europe/Berlin", created_at=NOW)
ENDED = "The run of 23 Nov 2026, 11:00 ended early: It hung."
RUN = Run(
    id="r", kind="sync", state="success", started_at=NOW, finished_at=NOW + timedelta(seconds=2),
    users_considered=8, sent=8, delivered=8, failed=0, error="",
)  # fmt: skip
STATUS = Status(
    app_id="a", type="webhook", endpoint="https://example.com", built_in=False, settings={},
    secret_check="", schedule="", audience=(), enabled=True,
    messages={"due": 0, "sent": 0, "delivered": 8, "dead": 0}, last_error="", retry_at=None,
    next_run_at=NOW + timedelta(hours=1), entries_not_stored=0, runs=[RUN], dead=[], backfill=None,
)  # fmt: skip
TROUBLE = {"last_error": "It answered 503", "retry_at": NOW}
DEAD = {"messages": {"due": 2, "sent": 1, "delivered": 8, "dead": 1}}
FAILED = msgspec.structs.replace(RUN, state="failure", error="It hung.")


@pytest.mark.parametrize(
    ("changes", "word", "sentence"),
    [
        ({}, "Healthy", "Healthy: the last run was on 23 Nov 2026, 11:00. The next one is due"),
        ({"runs": []}, "Connected", "Has not run yet."),
        (TROUBLE, "Retrying", "It answered 503. Trying again at 23 Nov 2026, 11:00."),
        ({**TROUBLE, **DEAD, "enabled": False}, "Paused", "Paused: nothing is sent; 3 messages"),
        (
            {"runs": [FAILED], **DEAD},
            "Failing",
            "The run of 23 Nov 2026, 11:00 ended early: It hung.",
        ),
        (DEAD, "Look at it", "Running; 1 message was refused for good."),
    ],
)
def test_the_sentence_says_what_matters_most(
    changes: dict[str, Any], word: str, sentence: str
) -> None:
    """With the endpoint's own word, in the app's time."""
    told = tell_health(msgspec.structs.replace(STATUS, **changes), APP)
    assert told.word == word
    assert told.sentence.startswith(sentence)


def test_without_a_connection_that_is_said() -> None:
    """The gallery asks for every entry."""
    assert tell_health(None, APP).word == "Not connected"


def test_a_run_on_its_way_took_no_time_yet() -> None:
    """And a short one is told with a decimal."""
    assert tell_run(RUN, APP).took == "2.0 s"
    going = msgspec.structs.replace(RUN, state="running", finished_at=None)
    assert (tell_run(going, APP).took, tell_run(going, APP).state) == ("", "running")


def test_a_backfill_tells_its_day_and_then_the_present() -> None:
    """The present comes last, when all days are made."""
    of = Backfill(
        id="b", state="running", first_day="2026-11-01", last_day="2026-11-10", day="2026-11-04",
        above="", messages=1, started_at=NOW, finished_at=None, days=10, days_done=3,
    )  # fmt: skip
    told = tell_progress(of)
    assert told is not None
    assert (told.done, told.of) == (3, 10)
    assert "at 2026-11-04, 3 of 10 days made, 1 message so far" in told.sentence
    last = tell_progress(msgspec.structs.replace(of, day="", days_done=10))
    assert last is not None
    assert last.done == last.of == 10
    assert tell_progress(None) is None
