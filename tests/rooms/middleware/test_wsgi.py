"""A real Flask application is captured and never disturbed."""

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import pytest
from flask import Flask, request
from werkzeug.serving import make_server

from headwater.middleware import CaptureWSGI
from tests.rooms.middleware.collector import Recorder, collecting

ID = "a" * 64


def _api() -> Flask:
    app = Flask("api")

    @app.post("/echo")
    def echo() -> Any:
        return {"got": request.get_json()}, 201, {"X-Kind": "test"}

    @app.get("/stream")
    def stream() -> Any:
        return (f"part {number};" for number in range(5))

    @app.get("/boom")
    def boom() -> Any:
        raise RuntimeError("planted")

    return app


@contextmanager
def _serving(app: Any) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _ask(url: str, body: bytes | None = None) -> tuple[int, bytes]:
    headers = {"Content-Type": "application/json", "Cookie": "planted"}
    try:
        asked = urllib.request.Request(url, data=body, headers=headers)
        with urllib.request.urlopen(asked) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as err:
        with err:
            return err.code, err.read()


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with collecting() as running:
        yield running


def _wrap(app: Any, recorder: Recorder, **options: Any) -> CaptureWSGI:
    return CaptureWSGI(
        app, application_id=ID, url=recorder.url, **{"flush_every_s": 0.02, **options}
    )


def test_a_call_is_reported_whole(recorder: Recorder) -> None:
    """Request and response, bodies and headers, an escaped path."""
    with _serving(_wrap(_api(), recorder)) as url:
        status, body = _ask(f"{url}/echo?q=1&api_key=planted", b'{"a": 1}')
        assert (status, body.strip()) == (201, b'{"got":{"a":1}}')
        _ask(f"{url}/no%20such%C3%A9")
        event, missing = sorted(
            recorder.wait_for(2), key=lambda event: int(event["response"]["status"])
        )
    asked, answered = event["request"], event["response"]
    assert asked["uri"] == f"{url}/echo?q=1&api_key=*masked*"
    assert (asked["verb"], asked["ip_address"]) == ("POST", "127.0.0.1")
    assert asked["headers"]["cookie"] == "*masked*"
    assert asked["headers"]["content-type"] == "application/json"
    assert (asked["body"], answered["body"]) == ({"a": 1}, {"got": {"a": 1}})
    assert (answered["status"], answered["headers"]["x-kind"]) == (201, "test")
    assert missing["request"]["uri"] == f"{url}/no%20such%C3%A9"


def test_an_answer_streams_through_untouched(recorder: Recorder) -> None:
    """Chunk by chunk."""
    with _serving(_wrap(_api(), recorder)) as url:
        expected = b"".join(f"part {n};".encode() for n in range(5))
        assert _ask(f"{url}/stream") == (200, expected)
        recorder.wait_for(1)


def test_an_error_is_the_applications_own(recorder: Recorder) -> None:
    """Flask answers 500, and so it is reported."""
    app = _api()
    app.logger.disabled = True
    with _serving(_wrap(app, recorder)) as url:
        assert _ask(f"{url}/boom")[0] == 500
        assert recorder.wait_for(1)[0]["response"]["status"] == 500


def _fail(*_: object) -> Any:
    raise ValueError("planted")


def test_hooks_may_speak_or_fail(recorder: Recorder) -> None:
    """What they say is kept, what they raise is not."""
    wrapped = _wrap(
        _api(),
        recorder,
        identify_user=lambda environ, response: f"{environ['REQUEST_METHOD']}-{response.status}",
        identify_company=_fail,
        skip=lambda environ, _: environ["PATH_INFO"] == "/stream",
    )
    with _serving(wrapped) as url:
        _ask(f"{url}/stream")
        assert _ask(f"{url}/echo", b"{}")[0] == 201
        (event,) = recorder.wait_for(1)
    assert event["user_id"] == "POST-201"
    assert "company_id" not in event


def _raw(environ: dict[str, Any], app: Any) -> list[bytes]:
    """Call an application as a server would, with little in the environ."""
    answer = app({"REQUEST_METHOD": "GET", **environ}, lambda *_: lambda _: None)
    try:
        return list(answer)
    finally:
        getattr(answer, "close", lambda: None)()


def test_an_exception_passes_through(recorder: Recorder) -> None:
    """The server sees the very error, and the call is reported as 500."""
    wrapped = _wrap(_fail, recorder)
    with pytest.raises(ValueError, match="planted"):
        _raw({}, wrapped)
    assert recorder.wait_for(1)[0]["response"]["status"] == 500


def test_a_file_stays_with_the_server(recorder: Recorder) -> None:
    """What `wsgi.file_wrapper` made is handed on as it is, so that sendfile works."""

    class Wrapper:
        def __init__(self, file: BytesIO) -> None:
            self.file = file

        def __iter__(self) -> Iterator[bytes]:
            return iter(self.file)

    def send_file(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [])
        return environ["wsgi.file_wrapper"](BytesIO(b"content"))

    wrapped = _wrap(send_file, recorder)
    answer = wrapped(
        {"REQUEST_METHOD": "GET", "wsgi.file_wrapper": Wrapper}, lambda *_: lambda _: None
    )
    assert type(answer) is Wrapper
    assert recorder.wait_for(1)[0]["response"]["status"] == 200


def test_the_write_callable_of_old_is_heard(recorder: Recorder) -> None:
    """Applications may write instead of returning; both parts are the body."""

    def write_twice(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])(b'{"a"')
        return [b": 1}"]

    _raw({}, _wrap(write_twice, recorder))
    assert recorder.wait_for(1)[0]["response"]["body"] == {"a": 1}


class _ReadOnly:
    """The least that a server must give: some have no more."""

    def __init__(self, data: bytes) -> None:
        self.read = BytesIO(data).read


@pytest.mark.parametrize("source", [BytesIO, _ReadOnly])
def test_a_body_is_noted_however_it_is_read(recorder: Recorder, source: Any) -> None:
    """Frameworks use `readinto` where the server has it, and `read` where not."""
    environ = {
        "wsgi.input": source(b'{"a": 1}'),
        "CONTENT_LENGTH": "8",
        "CONTENT_TYPE": "application/json",
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/echo",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
    }
    assert b"".join(_raw(environ, _wrap(_api(), recorder))).strip() == b'{"got":{"a":1}}'
    assert recorder.wait_for(1)[0]["request"]["body"] == {"a": 1}


def test_a_list_keeps_its_length(recorder: Recorder) -> None:
    """From one chunk servers learn how long the body is."""

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"all"]

    answer: Any = _wrap(app, recorder)({"REQUEST_METHOD": "GET"}, lambda *_: lambda _: None)
    assert len(answer) == 1
    assert list(answer) == [b"all"]


def test_chunks_come_when_they_are_made(recorder: Recorder) -> None:
    """Nothing is read ahead, and a stream that is given up is closed."""
    made: list[int] = []

    def app(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        try:
            for number in range(5):
                made.append(number)
                yield b"part"
        finally:
            made.append(-1)

    answer: Any = _wrap(app, recorder)({"REQUEST_METHOD": "GET"}, lambda *_: lambda _: None)
    chunks = iter(answer)
    assert made == []
    next(chunks)
    next(chunks)
    answer.close()
    answer.close()
    assert made == [0, 1, -1]
    assert recorder.wait_for(1)[0]["response"]["status"] == 200


def test_an_error_in_the_middle_passes_through(recorder: Recorder) -> None:
    """A generator that raises before it answered is a 500."""

    def app(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        yield from _fail()

    with pytest.raises(ValueError, match="planted"):
        _raw({}, _wrap(app, recorder))
    assert recorder.wait_for(1)[0]["response"]["status"] == 500


def test_a_strange_server_is_served_all_the_same(recorder: Recorder) -> None:
    """What cannot be captured is counted, and the application does not notice."""

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        return [b"all"]

    wrapped = _wrap(app, recorder)
    assert list(wrapped({}, lambda *_: lambda _: None)) == [b"all"]
    assert wrapped.counts.failed == 1
