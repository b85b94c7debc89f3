"""Hostile bodies through the whole server into the store: count in is count out.

Events and actions carry ids of their own; users, companies and subscriptions go along, since one
poisonous profile could stop the river for all.
"""

import itertools
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.base.settings import EventStoreSettings
from headwater.eventstore import EventStore
from tests.fuzz.effort import TIMEOUT_S, effort, tally
from tests.fuzz.hostile import batches, documents
from tests.fuzz.items import COLLECTOR
from tests.support.server import serving

COUNTED = ("/v1/events", "/v1/actions")
SETTLED_WITHIN_S = 120
_IDS = itertools.count()
_COUNTS = """
SELECT (SELECT count() FROM calls) AS calls, (SELECT count() FROM actions) AS actions,
    (SELECT count() FROM rejects WHERE kind IN ('event', 'action', 'record')) AS rejects,
    (SELECT uniqExact(call_id) FROM calls) AS call_ids
"""
pytestmark = [pytest.mark.slow, pytest.mark.timeout(TIMEOUT_S)]


@st.composite
def posts(draw: st.DrawFn) -> tuple[str, bytes, int]:
    """A path, a body of whole items for it, and their number."""
    path = draw(st.sampled_from(list(COLLECTOR)))

    def item(inner: st.DrawFn) -> bytes:
        ids = {"transaction_id": f"id-{next(_IDS)}"} if path in COUNTED else {}
        return inner(documents(COLLECTOR[path], ids))

    body, count = draw(batches(item))
    return path, body, count


async def test_count_in_is_count_out(tmp_path: Path) -> None:
    """Every item of an accepted request is in the store, as what it is or as a reject."""
    accepted = 0
    with serving(tmp_path / "data") as server, tally(__name__) as counts:
        key = server.cli("apps", "list")[0]["collector_application_id"]
        headers = {"x-moesif-application-id": key}

        @effort(150)
        @given(post=posts())
        def send_whole(post: tuple[str, bytes, int]) -> None:
            nonlocal accepted
            path, body, count = post
            status = server.ask("POST", path, body, headers).status
            counts[str(status)] += 1
            assert status in {201, 400, 413}, server.data / "stderr.log"
            accepted += count if status == 201 and path in COUNTED else 0

        send_whole()
        server.settle(within_s=SETTLED_WITHIN_S)
        assert server.process.poll() is None
    with closing(EventStore.open(EventStoreSettings(), tmp_path / "data")) as store:
        [found] = await store.select(_COUNTS)
    counts["stored"] = found["calls"] + found["actions"] + found["rejects"]
    assert found["call_ids"] == found["calls"]
    assert found["calls"] + found["actions"] + found["rejects"] == accepted, found
    assert found["calls"], "hardly anything was understood"
