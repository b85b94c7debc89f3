"""The sender is patient with the collector, short with memory, and safe to fork."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headwater.middleware.call import Body, Call
from headwater.middleware.options import Options
from headwater.middleware.sender import Sender
from tests.rooms.middleware.collector import Recorder, collecting


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with collecting() as running:
        yield running


def _sender(url: str, **options: Any) -> Sender:
    return Sender(Options(application_id="a" * 64, url=url, **{"flush_every_s": 0.02, **options}))


def _call(number: int = 0, body: bytes = b"") -> Call:
    kept = Body(1_000_000)
    kept.keep(body)
    return Call("GET", "http", f"/{number}", "", "", ("h", 80), [], 1.0, kept, Body(0), ended=1.0)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _paths(recorder: Recorder) -> list[str]:
    return [event["request"]["uri"] for event in recorder.events]


def test_calls_go_in_batches_over_one_connection(recorder: Recorder) -> None:
    """No batch is larger than said, and all calls arrive in order."""
    sender = _sender(recorder.url, batch_events=100)
    for number in range(250):
        sender.put(_call(number))
    recorder.wait_for(250)
    sender.close()
    assert max(map(len, recorder.batches)) <= 100
    assert _paths(recorder) == [f"http://h/{number}" for number in range(250)]
    assert recorder.connections == 1
    assert sender.trouble.counts.sent == 250


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_troubled_collector_gets_the_batch_again(recorder: Recorder, status: int) -> None:
    """Until it takes it, once."""
    recorder.statuses = [status]
    sender = _sender(recorder.url)
    sender.put(_call())
    recorder.wait_for(1)
    sender.close()
    assert (sender.trouble.counts.sent, len(recorder.headers)) == (1, 2)


def test_a_refused_batch_is_not_sent_again(recorder: Recorder) -> None:
    """A wrong key stays wrong: the calls are counted."""
    recorder.statuses = [401]
    sender = _sender(recorder.url)
    sender.put(_call())
    sender.close()
    assert (sender.trouble.counts.refused, len(recorder.headers)) == (1, 1)


def test_a_collector_that_comes_back_gets_everything() -> None:
    """Calls wait in memory while it is away."""
    port = _free_port()
    sender = _sender(f"http://127.0.0.1:{port}")
    for number in range(10):
        sender.put(_call(number))
    time.sleep(0.2)
    with collecting(port) as recorder:
        recorder.wait_for(10)
        sender.close()
    assert sender.trouble.counts.overflowed == sender.trouble.counts.refused == 0


def test_the_queue_is_bounded_in_number_and_size() -> None:
    """What finds no room is counted and forgotten."""
    sender = _sender(f"http://127.0.0.1:{_free_port()}", flush_every_s=60.0, queue_events=10)
    for number in range(15):
        sender.put(_call(number))
    assert (sender.waiting, sender.trouble.counts.overflowed) == (10, 5)
    sender.close(0.5)
    large = _sender(f"http://127.0.0.1:{_free_port()}", flush_every_s=60.0, queue_bytes=30_000)
    for number in range(15):
        large.put(_call(number, b"x" * 9_000))
    assert (large.waiting, large.trouble.counts.overflowed) == (2, 13)
    large.close(0.5)


def test_room_comes_back_when_calls_were_sent(recorder: Recorder) -> None:
    """The bytes of what left are free again."""
    sender = _sender(recorder.url, queue_bytes=30_000)
    for number in range(6):
        sender.put(_call(number, b"x" * 9_000))
        recorder.wait_for(number + 1)
    sender.close()
    assert sender.trouble.counts.overflowed == 0


def test_a_dead_collector_does_not_hold_up_the_end() -> None:
    """`close` gives up in time, even when the collector takes the connection and is silent."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        sender = _sender(f"http://127.0.0.1:{silent.getsockname()[1]}")
        sender.put(_call())
        time.sleep(0.1)
        began = time.monotonic()
        sender.close(0.3)
        assert time.monotonic() - began < 1.0


def test_it_gives_up_on_a_batch_in_the_end() -> None:
    """After its time, so that newer calls get their turn."""
    sender = _sender(f"http://127.0.0.1:{_free_port()}", give_up_after_s=0.0)
    sender.put(_call())
    until = time.monotonic() + 5
    while not sender.trouble.counts.refused and time.monotonic() < until:
        time.sleep(0.01)
    sender.close()
    assert sender.trouble.counts.refused == 1


def test_it_starts_again_after_its_end(recorder: Recorder) -> None:
    """An application that is stopped and started in one process goes on reporting."""
    sender = _sender(recorder.url)
    for number in range(3):
        sender.put(_call(number))
        sender.close()
    assert len(recorder.events) == 3


def test_the_collector_says_how_long_to_leave_it_alone(recorder: Recorder) -> None:
    """`Retry-After` wins over our own patience, which would have been half a second at most."""
    recorder.statuses, recorder.retry_after = [503], "1"
    sender = _sender(recorder.url)
    began_s = time.monotonic()
    sender.put(_call())
    recorder.wait_for(1)
    assert time.monotonic() - began_s >= 1.0
    sender.close()


def test_one_bad_batch_holds_up_no_other(recorder: Recorder) -> None:
    """What the collector fails on stands back after a while, and is counted."""
    recorder.statuses = [500, 500, 500]
    sender = _sender(recorder.url, give_up_after_s=0.2)
    sender.put(_call(1))
    until_s = time.monotonic() + 10
    while not sender.trouble.counts.refused and time.monotonic() < until_s:
        time.sleep(0.02)
    recorder.statuses.clear()
    sender.put(_call(2))
    recorder.wait_for(1)
    sender.close()
    assert sender.trouble.counts.refused == sender.trouble.counts.sent == 1


def test_large_calls_go_in_more_batches(recorder: Recorder) -> None:
    """No collector takes a batch of any size."""
    sender = _sender(recorder.url)
    for number in range(10):
        sender.put(_call(number, os.urandom(900_000)))
    recorder.wait_for(10)
    sender.close()
    assert max(len(batch) for batch in recorder.batches) == 3


def test_the_collector_says_how_many_calls_it_wants(recorder: Recorder) -> None:
    """Before the first batch, and again when the tag on its answers changes."""
    recorder.config = {"sample_rate": 100, "user_sample_rate": {"quiet": 0}}
    sender = _sender(recorder.url)
    quiet = _call(1)
    quiet.user_id = "quiet"
    sender.put(quiet)
    sender.put(_call(2))
    recorder.wait_for(1)
    recorder.config, recorder.config_tag = {"sample_rate": 0}, "2"
    sender.put(_call(3))
    recorder.wait_for(2)
    until_s = time.monotonic() + 5
    while recorder.config_asked < 2 and time.monotonic() < until_s:
        time.sleep(0.01)
    time.sleep(0.1)
    sender.put(_call(4))
    sender.close()
    assert _paths(recorder) == ["http://h/2", "http://h/3"]
    assert sender.trouble.counts.sampled_out == 2
    assert recorder.config_asked == 2


def test_a_collector_without_rates_gets_everything(recorder: Recorder) -> None:
    """Whatever stands in its document instead."""
    recorder.config = {"sample_rate": "many"}
    sender = _sender(recorder.url)
    sender.put(_call())
    recorder.wait_for(1)
    sender.close()


_SPOOLING = """
import os, sys, time
from tests.rooms.middleware.test_sender import _call, _sender
sender = _sender(sys.argv[1], spool_dir=sys.argv[2])
for number in range(5):
    sender.put(_call(number))
while not any(files for *_, files in os.walk(sys.argv[2])):
    time.sleep(0.01)
time.sleep(0.2)
os.kill(os.getpid(), 9)
"""


def test_a_spool_outlives_the_kill_of_its_process(tmp_path: Path) -> None:
    """What the collector did not get then, it gets from the next process, once."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    done = subprocess.run([sys.executable, "-c", _SPOOLING, url, str(tmp_path)], check=False)
    assert done.returncode == -9
    with collecting(port) as recorder:
        for number in (5, 6):
            sender = _sender(url, spool_dir=tmp_path)
            sender.put(_call(number))
            sender.close(5)
    assert _paths(recorder) == [f"http://h/{number}" for number in range(7)]
    assert len({event["transaction_id"] for event in recorder.events}) == 7


def test_what_waits_at_the_end_is_spooled(tmp_path: Path) -> None:
    """When the collector is away at the end of the process."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    first = _sender(url, spool_dir=tmp_path, flush_every_s=60.0)
    first.put(_call(1))
    first.close()
    with collecting(port) as recorder:
        second = _sender(url, spool_dir=tmp_path)
        second.put(_call(2))
        second.close(5)
    assert _paths(recorder) == ["http://h/1", "http://h/2"]


_FORKING = """
import os, sys, time
from tests.rooms.middleware.test_sender import _call, _sender
sender = _sender(sys.argv[1], flush_every_s=0.3)
sender.put(_call(1))
child = os.fork()
if child == 0:
    sender.put(_call(2))
    sender.close(5)
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
sender.put(_call(3))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_parent_and_child_of_a_fork_report_each_their_own(recorder: Recorder) -> None:
    """What waited at the fork is sent by the parent alone; at the end of the process too."""
    subprocess.run([sys.executable, "-c", _FORKING, recorder.url], check=True)
    assert sorted(_paths(recorder)) == ["http://h/1", "http://h/2", "http://h/3"]
