"""Be the API that a capture middleware sits in, and time its requests.

In: the gateway (`asgi`, `wsgi`), the capture (`bare`, `headwater`, `moesif`), the URL
of a stub collector, the seconds. Out: one line of JSON. Requests come one after the other, by
function call: what is timed is the application and the capture, and no server. A process for each
measurement, so that none inherits another's threads, garbage or settings.
"""

import asyncio
import io
import json
import os
import random
import resource
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask
from flask import request as flask_request
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from headwater.middleware import CaptureASGI, CaptureWSGI

_APPLICATION_ID = "bench-" + "x" * 60
_BODIES = 512
_BODY_BYTES = 1_073
_WARM_UP_REQUESTS = 300
_DRAIN_S = 1.0
_ROOM = {"queue_events": 1_000_000, "queue_bytes": 10_000_000_000}
"""Nothing may be forgotten here: that would be quicker, and no fair comparison."""
_HEADERS = {
    "host": "api.parcel.example",
    "user-agent": "python-requests/2.32",
    "accept": "*/*",
    "accept-encoding": "gzip, deflate",
    "authorization": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1LTgxIn0.c2lnbmF0dXJl",
    "content-type": "application/json",
    "content-length": str(_BODY_BYTES),
    "x-request-id": "7f9c2ba4",
}

_random = random.Random(7)
_bodies = [
    json.dumps({"id": n, "text": _random.randbytes(700).hex()}).encode()[: _BODY_BYTES - 2] + b'"}'
    for n in range(_BODIES)
]


async def _answer(request: Request) -> Response:
    return Response(await request.body(), media_type="application/json")


def _starlette() -> Any:
    return Starlette(routes=[Route("/v2/labels", _answer, methods=["POST"])])


def _flask() -> Any:
    app = Flask("api")

    @app.post("/v2/labels")
    def answer() -> Any:
        return flask_request.get_data(), 200, {"Content-Type": "application/json"}

    return app


def _wrap_asgi(capture: str, url: str) -> Any:
    app = _starlette()
    if capture == "headwater":
        return CaptureASGI(app, application_id=_APPLICATION_ID, url=url, **_ROOM)
    if capture == "moesif":
        from moesifasgi import MoesifMiddleware

        return MoesifMiddleware(app, settings=_moesif(url))
    return app


def _wrap_wsgi(capture: str, url: str) -> Any:
    app = _flask()
    if capture == "headwater":
        app.wsgi_app = CaptureWSGI(app.wsgi_app, application_id=_APPLICATION_ID, url=url, **_ROOM)
    if capture == "moesif":
        from moesifwsgi import MoesifMiddleware

        app.wsgi_app = MoesifMiddleware(app.wsgi_app, _moesif(url))
    return app


def _moesif(url: str) -> dict[str, Any]:
    return {"APPLICATION_ID": _APPLICATION_ID, "BASE_URI": url, "LOG_BODY": True}


async def _time_asgi(app: Any, seconds: float) -> list[int]:
    headers = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
    took_ns: list[int] = []
    until_s = time.perf_counter() + seconds
    number = 0
    while time.perf_counter() < until_s or number < _WARM_UP_REQUESTS * 2:
        body, number = _bodies[number % _BODIES], number + 1

        async def receive(body: bytes = body) -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            pass

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST",
            "scheme": "http", "path": "/v2/labels", "raw_path": b"/v2/labels", "root_path": "",
            "query_string": b"dry=1", "headers": list(headers),
            "client": ("203.0.113.7", 4711), "server": ("127.0.0.1", 80),
        }  # fmt: skip
        began_ns = time.perf_counter_ns()
        await app(scope, receive, send)
        took_ns.append(time.perf_counter_ns() - began_ns)
    return took_ns[_WARM_UP_REQUESTS:]


def _time_wsgi(app: Any, seconds: float) -> list[int]:
    sent = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in _HEADERS.items()}
    took_ns: list[int] = []
    until_s = time.perf_counter() + seconds
    number = 0
    while time.perf_counter() < until_s or number < _WARM_UP_REQUESTS * 2:
        body, number = _bodies[number % _BODIES], number + 1
        environ = {
            **sent, "REQUEST_METHOD": "POST", "PATH_INFO": "/v2/labels", "QUERY_STRING": "dry=1",
            "SCRIPT_NAME": "", "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "203.0.113.7",
            "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body), "wsgi.url_scheme": "http", "wsgi.errors": sys.stderr,
            "wsgi.version": (1, 0), "wsgi.multithread": True, "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }  # fmt: skip
        began_ns = time.perf_counter_ns()
        _consume(app(environ, _start_response))
        took_ns.append(time.perf_counter_ns() - began_ns)
    return took_ns[_WARM_UP_REQUESTS:]


def _start_response(*_: Any) -> Callable[..., None]:
    return lambda _: None


def _consume(answer: Iterable[bytes]) -> None:
    for _ in answer:
        pass
    getattr(answer, "close", lambda: None)()


def _run(gateway: str, capture: str, url: str, seconds: float) -> dict[str, float]:
    app = (_wrap_asgi if gateway == "asgi" else _wrap_wsgi)(capture, url)
    cpu_before_s = time.process_time()
    if gateway == "asgi":
        took_ns = asyncio.run(_time_asgi(app, seconds))
    else:
        took_ns = _time_wsgi(app, seconds)
    time.sleep(_DRAIN_S)
    cpu_s = time.process_time() - cpu_before_s
    took_ns.sort()
    return {
        "p50_us": took_ns[len(took_ns) // 2] / 1e3,
        "p99_us": took_ns[int(len(took_ns) * 0.99)] / 1e3,
        "mean_us": sum(took_ns) / len(took_ns) / 1e3,
        "cpu_us": cpu_s / (len(took_ns) + _WARM_UP_REQUESTS) * 1e6,
        "requests_per_s": len(took_ns) / seconds,
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
    }


if __name__ == "__main__":
    print(json.dumps(_run(sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4]))), flush=True)
    os._exit(0)  # what a capture still holds would be sent at exit, and is not what is measured
