"""A real ASGI application under uvicorn is captured and never disturbed."""

import asyncio
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
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
        skip=lambda scope, _: scope["path"] == "/health",
    )
    with _serving(wrapped) as url:
        _ask(f"{url}/health")
        _ask(f"{url}/echo")
        (event,) = recorder.wait_for(1)
    assert (event["user_id"], event["company_id"]) == ("42", "company-200")
    assert event["metadata"] == {"path": "/echo"}


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
