"""Hostile bodies at the Collector API, through the real HTTP server.

The promise: never a 5xx; a refused request leaves nothing; of an accepted one every item becomes a
record or a reject, one for one, which the next room can read.
"""

import json
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.eventlog import Entry, Stream
from headwater.ingest.batch import Batch, decode_entries
from tests.fuzz.effort import TIMEOUT_S, effort, tally
from tests.fuzz.hostile import PACKERS, batches, damaged, documents
from tests.fuzz.items import COLLECTOR
from tests.support.collector_door import Door, open_door

PATHS = [path + form for path in COLLECTOR for form in ("", "/batch")]
REFUSED = {400, 413}
pytestmark = pytest.mark.timeout(TIMEOUT_S)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """One door for all examples; the log remembers what each of them brought."""
    with open_door(tmp_path_factory.mktemp("door")) as opened:
        yield opened


@pytest.fixture(scope="module")
def counts(request: pytest.FixtureRequest) -> Iterator[Counter[str]]:
    with tally(request.module.__name__) as counter:
        yield counter


class Log:
    """What reached the log since the last look."""

    def __init__(self, door: Door) -> None:
        self._entries = door.log._streams[Stream.CALLS].entries

    def take(self) -> list[Entry]:
        """Return the new entries, and forget them."""
        new = list(self._entries.values())
        self._entries.clear()
        return new


def size_of(batch: Batch) -> int:
    return len(batch.calls) + len(batch.actions) + len(batch.updates) + len(batch.rejects)


def kept_of(door: Door, path: str, body: bytes, encoding: str, counts: Counter[str]) -> int | None:
    """Post a body; return how many records it left, None when it was refused."""
    log = Log(door)
    log.take()
    status = door.post(path, body, content_encoding=encoding)
    counts[str(status)] += 1
    batch = decode_entries(log.take())
    undecodable = [reject for _, reject in batch.rejects if reject.kind == "record"]
    assert not undecodable, undecodable[0].reason
    kept = size_of(batch)
    counts["records"] += kept
    if status in REFUSED:
        assert kept == 0
        return None
    assert status == 201
    return kept


@st.composite
def posts(draw: st.DrawFn) -> tuple[str, bytes, int]:
    """A path, a body of whole items for it, and their number."""
    path = draw(st.sampled_from(PATHS))
    good = COLLECTOR[path.removesuffix("/batch")]
    body, count = draw(batches(lambda inner: inner(documents(good, {}))))
    return path, body, count


@effort(140)
@given(post=posts(), encoding=st.sampled_from(list(PACKERS)))
def test_every_item_is_a_record_or_a_reject(
    door: Door, counts: Counter[str], post: tuple[str, bytes, int], encoding: str
) -> None:
    """Whatever its fields hold."""
    path, body, count = post
    kept = kept_of(door, path, PACKERS[encoding](body), encoding, counts)
    assert kept in {None, count}


@effort(140)
@given(data=st.data(), path=st.sampled_from(PATHS), encoding=st.sampled_from(list(PACKERS)))
def test_damaged_bytes_leave_all_or_nothing(
    door: Door, counts: Counter[str], data: st.DataObject, path: str, encoding: str
) -> None:
    """Damage before packing: what still is a list of JSON keeps its length."""
    good = COLLECTOR[path.removesuffix("/batch")]
    whole = batches(lambda inner: inner(documents(good, {}))).map(lambda made: made[0])
    body = data.draw(damaged(whole))
    kept = kept_of(door, path, PACKERS[encoding](body), encoding, counts)
    expected = _length(body)
    assert kept is None or kept == expected or expected is None


@effort(90)
@given(data=st.data(), path=st.sampled_from(PATHS), encoding=st.sampled_from(["gzip", "deflate"]))
def test_damaged_packing_is_refused_or_read(
    door: Door, counts: Counter[str], data: st.DataObject, path: str, encoding: str
) -> None:
    """Damage after packing, garbage, and packing that is not there."""
    good = COLLECTOR[path.removesuffix("/batch")]
    whole = batches(lambda inner: inner(documents(good, {}))).map(lambda made: made[0])
    packed = whole.map(PACKERS[encoding])
    body = data.draw(st.one_of(damaged(packed), st.binary(max_size=200), whole))
    kept_of(door, path, body, encoding, counts)


def _length(body: bytes) -> int | None:
    try:
        found = json.loads(body.decode("utf-8", "replace").removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return None
    return len(found) if isinstance(found, list) else 1
