"""A real ASGI application under uvicorn is captured and never disturbed."""

import asyncio
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
import uvicorn

from headwater.middleware import CaptureASGI, Response
from tests.rooms.middleware.collector import Recorder, collecting

ID = "a" * 64


async def _api(scope: Any, receive: Any, send: Any) -> None:
    """Answers by path: /echo, /stream, /boom, /silent; anything else is 404."""
    if scope["type"] == "lifespan":
        for word in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{word}.complete"})
        return
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    head = {"type": "http.response.start", "status": 200, "headers": [(b"x-kind", b"test")]}
    if scope["path"] == "/boom":
        raise RuntimeError("planted")
    if scope["path"] == "/stream":
        await send(head)
        for number in range(5):
            part = f"part {number};".encode()
            await send({"type": "http.response.body", "body": part, "more_body": True})
            await asyncio.sleep(0.01)
        await send({"type": "http.response.body"})
        return
    await send({**head, "status": 200 if scope["path"] == "/echo" else 404})
    await send({"type": "http.response.body", "body": body})


@contextmanager
def _serving(app: Any) -> Iterator[str]:
    config = uvicorn.Config(app, port=0, log_level="critical", lifespan="on")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def _ask(url: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    request = urllib.request.Request(url, data=body, headers=headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as err:
        with err:
            return err.code, err.read()


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with collecting() as running:
        yield running


def _wrap(recorder: Recorder, **options: Any) -> CaptureASGI:
    return CaptureASGI(
        _api, application_id=ID, url=recorder.url, **{"flush_every_s": 0.02, **options}
    )


def test_a_call_is_reported_whole(recorder: Recorder) -> None:
    """Request and response, bodies and headers, and who was the client."""
    with _serving(_wrap(recorder)) as url:
        answer = _ask(f"{url}/echo?page=2&token=planted", b'{"a": 1}', Authorization="planted")
        assert answer == (200, b'{"a": 1}')
        (event,) = recorder.wait_for(1)
    request, response = event["request"], event["response"]
    assert request["uri"] == f"{url}/echo?page=2&token=*masked*"
    assert (request["verb"], request["ip_address"]) == ("POST", "127.0.0.1")
    assert request["headers"]["authorization"] == "*masked*"
    assert request["body"] == response["body"] == {"a": 1}
    assert (response["status"], response["headers"]["x-kind"]) == (200, "test")
    assert request["time"] <= response["time"]
    assert recorder.headers[0]["x-moesif-application-id"] == ID


def test_an_answer_streams_through_untouched(recorder: Recorder) -> None:
    """Chunk by chunk, while the capture only keeps references."""
    with _serving(_wrap(recorder)) as url:
        expected = b"".join(f"part {n};".encode() for n in range(5))
        assert _ask(f"{url}/stream") == (200, expected)
        (event,) = recorder.wait_for(1)
    assert event["response"]["transfer_encoding"] == "base64"


def test_a_large_body_passes_and_is_marked(recorder: Recorder) -> None:
    """The application gets all of it, the collector its size."""
    with _serving(_wrap(recorder, max_body_bytes=1000)) as url:
        assert _ask(f"{url}/echo", b"x" * 200_000) == (200, b"x" * 200_000)
        (event,) = recorder.wait_for(1)
    assert event["request"]["content_length"] == 200_000
    assert "not kept" in event["request"]["body"]["msg"]


def test_an_application_that_raises_is_reported_as_500(recorder: Recorder) -> None:
    """The error goes on to the server, which answers as ever."""
    with _serving(_wrap(recorder)) as url:
        assert _ask(f"{url}/boom")[0] == 500
        (event,) = recorder.wait_for(1)
    assert event["response"]["status"] == 500


async def _company(scope: Any, response: Response) -> str:
    await asyncio.sleep(0)
    return f"company-{response.status}"


def test_hooks_say_whose_call_it_was(recorder: Recorder) -> None:
    """Plain functions and coroutine functions; numbers are ids too."""
    wrapped = _wrap(
        recorder,
        identify_user=lambda *_: 42,
        identify_company=_company,
        get_metadata=lambda scope, _: {"path": scope["path"]},
        get_session_token=lambda *_: "key-1",
        skip=lambda scope, _: scope["path"] == "/health",
    )
    with _serving(wrapped) as url:
        _ask(f"{url}/health")
        _ask(f"{url}/echo")
        (event,) = recorder.wait_for(1)
    assert (event["user_id"], event["company_id"]) == ("42", "company-200")
    assert (event["metadata"], event["session_token"]) == ({"path": "/echo"}, "key-1")


def _fail(*_: object) -> Any:
    raise ValueError("planted")


async def _fail_later(*_: object) -> Any:
    raise ValueError("planted")


def test_failing_hooks_disturb_nobody(recorder: Recorder) -> None:
    """The answer is the same, and the call is reported without what they would have said."""
    wrapped = _wrap(recorder, identify_user=_fail, get_metadata=_fail_later, skip=_fail)
    with _serving(wrapped) as url:
        assert _ask(f"{url}/echo", b"{}") == (200, b"{}")
        (event,) = recorder.wait_for(1)
    assert "user_id" not in event
    assert wrapped.counts.hooks_failed == 3


def test_an_event_can_be_masked_or_left_out(recorder: Recorder) -> None:
    """The hook sees decoded bodies; None keeps the event in the process."""

    def mask(event: dict[str, Any]) -> dict[str, Any] | None:
        body = event["request"].get("body", {})
        body.pop("card", None)
        return None if body.get("private") else event

    with _serving(_wrap(recorder, mask_event=mask)) as url:
        _ask(f"{url}/echo", b'{"private": true}')
        _ask(f"{url}/echo", b'{"card": "planted", "n": 1}')
        (event,) = recorder.wait_for(1)
    assert event["request"]["body"] == {"n": 1}


async def _mask_later(event: dict[str, Any]) -> dict[str, Any]:
    await asyncio.sleep(0)
    return {**event, "metadata": {"masked": True}}


def test_a_coroutine_may_mask(recorder: Recorder) -> None:
    """On the background thread, where nobody waits for it."""
    with _serving(_wrap(recorder, mask_event=_mask_later)) as url:
        _ask(f"{url}/echo")
        assert recorder.wait_for(1)[0]["metadata"] == {"masked": True}


def test_an_event_that_cannot_be_masked_is_not_sent(recorder: Recorder) -> None:
    """Privacy first: it is counted as failed."""
    wrapped = _wrap(recorder, mask_event=_fail)
    with _serving(wrapped) as url:
        assert _ask(f"{url}/echo", b"{}") == (200, b"{}")
    wrapped.close()
    assert recorder.events == []
    assert wrapped.counts.failed == 1


def test_the_end_of_the_application_sends_what_waits(recorder: Recorder) -> None:
    """At the lifespan's end, without waiting for the next flush."""
    with _serving(_wrap(recorder, flush_every_s=60.0)) as url:
        _ask(f"{url}/echo")
        assert recorder.events == []
    assert len(recorder.events) == 1


class _Wire:
    """What a server gives an application, and keeps what it gets."""

    def __init__(self, **scope: Any) -> None:
        self.scope = {"type": "http", "method": "GET", "path": "/", "headers": [], **scope}
        self.sent: list[Any] = []

    async def receive(self) -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(self, message: Any) -> None:
        self.sent.append(message)


def _wrapped(app: Any, recorder: Recorder, **options: Any) -> CaptureASGI:
    return CaptureASGI(
        app, application_id=ID, url=recorder.url, **{"flush_every_s": 0.02, **options}
    )


async def test_sockets_pass_through(recorder: Recorder) -> None:
    """Nobody stands between the application and a WebSocket."""
    seen: list[Any] = []

    async def app(*given: Any) -> None:
        seen.extend(given)

    wire = _Wire(type="websocket")
    receive, send = wire.receive, wire.send
    await _wrapped(app, recorder)(wire.scope, receive, send)
    assert seen[0] is wire.scope
    assert seen[1] is receive
    assert seen[2] is send


async def test_work_after_the_answer_is_no_part_of_it(recorder: Recorder) -> None:
    """Background tasks run within the application; the client has its answer long before."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})
        await asyncio.sleep(0.5)

    wire = _Wire()
    await _wrapped(app, recorder)(wire.scope, wire.receive, wire.send)
    (event,) = await asyncio.to_thread(recorder.wait_for, 1)
    began, ended = (datetime.fromisoformat(event[side]["time"]) for side in ("request", "response"))
    assert (ended - began).total_seconds() < 0.4


async def test_a_cancelled_call_is_reported_and_stays_cancelled(recorder: Recorder) -> None:
    """As a client that goes away cancels it; hooks are still asked."""
    started = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 202, "headers": []})
        started.set()
        await asyncio.sleep(60)

    wire = _Wire()
    wrapped = _wrapped(app, recorder, identify_company=_company)
    task = asyncio.ensure_future(wrapped(wire.scope, wire.receive, wire.send))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (event,) = await asyncio.to_thread(recorder.wait_for, 1)
    assert event["company_id"] == "company-202"


async def test_an_application_thrown_away_asks_nobody(recorder: Recorder) -> None:
    """A coroutine that is closed may not wait for a hook any more."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(60)

    wire = _Wire()
    running = _wrapped(app, recorder, identify_company=_company)(
        wire.scope, wire.receive, wire.send
    )
    running.send(None)
    running.close()


@pytest.mark.parametrize("lacking", ["method", "headers"])
async def test_a_strange_server_is_served_all_the_same(recorder: Recorder, lacking: str) -> None:
    """What cannot be captured is counted, and the application does not notice."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": iter([(b"a", b"b")])})

    wire = _Wire()
    wire.scope.pop(lacking)
    wrapped = _wrapped(app, recorder)
    await wrapped(wire.scope, wire.receive, wire.send)
    assert list(wire.sent[0]["headers"]) == [(b"a", b"b")]
    assert wrapped.counts.failed == 1


async def test_headers_that_can_be_read_once_are_the_servers(recorder: Recorder) -> None:
    """The protocol allows any iterable."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": iter([(b"a", b"b")])})

    wire = _Wire()
    await _wrapped(app, recorder)(wire.scope, wire.receive, wire.send)
    assert list(wire.sent[0]["headers"]) == [(b"a", b"b")]
    (event,) = await asyncio.to_thread(recorder.wait_for, 1)
    assert event["response"]["headers"] == {}
