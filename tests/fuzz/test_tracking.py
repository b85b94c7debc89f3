"""Hostile bodies at the Tracking API, through the real HTTP server.

The promise: never a 5xx; a refused request leaves nothing; of an accepted batch every item is a
message or named in the answer.
"""

import base64
import json
from collections import Counter
from collections.abc import Iterator

import pytest
import urllib3
from hypothesis import given
from hypothesis import strategies as st

from headwater.eventlog import MemoryLog, Stream, split_records
from tests.fuzz.effort import TIMEOUT_S, effort, tally
from tests.fuzz.hostile import PACKERS, anything, damaged, documents
from tests.fuzz.items import MESSAGE
from tests.support.tracking_server import TrackingServer, tracking_server

SINGLE = [f"/v1/{name}" for name in ("identify", "track", "page", "screen", "group", "alias")]
ENVELOPE = {"sentAt": "2026-11-23T09:00:00Z", "context": {"ip": "192.0.2.7"}, "writeKey": "x"}
REFUSED = {400, 413}
pytestmark = pytest.mark.timeout(TIMEOUT_S)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrackingServer]:
    with tracking_server(tmp_path_factory.mktemp("tracking")) as running:
        yield running


@pytest.fixture(scope="module")
def counts() -> Iterator[Counter[str]]:
    with tally(__name__) as counter:
        yield counter


def messages() -> st.SearchStrategy[bytes]:
    return documents(MESSAGE, {})


@st.composite
def envelopes(draw: st.DrawFn) -> tuple[bytes, int]:
    """A batch and the number of its items."""
    items = [draw(messages()) for _ in range(draw(st.integers(1, 6)))]
    head = draw(documents(ENVELOPE, {}))[:-1]
    joint = b"," if len(head) > 1 else b""
    return head + joint + b'"batch":[' + b",".join(items) + b"]}", len(items)


class Sender:
    """Posts to one source, and looks at what each request left in the log."""

    def __init__(self, server: TrackingServer, counts: Counter[str]) -> None:
        log = server.door.log
        assert isinstance(log, MemoryLog)
        self._kept = log._streams[Stream.MESSAGES]
        self._counts = counts
        self._url = server.url
        key = base64.b64encode(f"{server.source.write_key}:".encode()).decode()
        self._headers = {"authorization": f"Basic {key}", "content-type": "application/json"}
        self._http = urllib3.PoolManager(retries=False)

    def post(self, path: str, body: bytes, encoding: str) -> tuple[int | None, int]:
        """Return how many messages were kept, None if refused, and how many the answer names."""
        before = self._kept.last
        headers = {**self._headers, "content-encoding": encoding}
        packed = PACKERS[encoding](body)
        reply = self._http.request("POST", self._url + path, body=packed, headers=headers)
        self._counts[str(reply.status)] += 1
        new = range(before + 1, self._kept.last + 1)
        kept = sum(len(split_records(self._kept.entries[offset].data)) for offset in new)
        self._counts["messages"] += kept
        if reply.status in REFUSED:
            assert kept == 0
            return None, 0
        assert reply.status == 200, reply.data
        return kept, len(json.loads(reply.data).get("rejected", ()))


@effort(120)
@given(body=messages(), path=st.sampled_from(SINGLE), encoding=st.sampled_from(list(PACKERS)))
def test_one_message_is_kept_or_refused(
    server: TrackingServer, counts: Counter[str], body: bytes, path: str, encoding: str
) -> None:
    """Whatever its fields hold."""
    kept, named = Sender(server, counts).post(path, body, encoding)
    assert kept in {None, 1}
    assert named == 0


@effort(120)
@given(batch=envelopes(), path=st.sampled_from(["/v1/batch", "/v1/import"]))
def test_every_item_of_a_batch_is_kept_or_named(
    server: TrackingServer, counts: Counter[str], batch: tuple[bytes, int], path: str
) -> None:
    """Also when others of the same batch cannot be read at all."""
    body, count = batch
    kept, named = Sender(server, counts).post(path, body, "gzip")
    assert kept is None or kept + named == count


@effort(80)
@given(data=st.data(), path=st.sampled_from(["/v1/batch", "/v1/track"]))
def test_damaged_bytes_are_refused_or_read(
    server: TrackingServer, counts: Counter[str], data: st.DataObject, path: str
) -> None:
    """Bytes flipped, cut, repeated; and values that are no message at all."""
    whole = st.one_of(envelopes().map(lambda made: made[0]), messages())
    body = data.draw(st.one_of(damaged(whole), anything, st.binary(max_size=100)))
    Sender(server, counts).post(path, body, data.draw(st.sampled_from(list(PACKERS))))
