"""Read requests and write answers for the two raw doors (Collector API, Tracking API).

In: ASGI scope, receive, send. Out: whole bodies, decompressed under a cap, and JSON answers with
CORS. Knows no routes and no product words.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any

import msgspec
from isal import igzip_lib
from isal import isal_zlib as zlib

from headwater.base.errors import (
    HeadwaterError,
    InvalidInputError,
    SlowBodyError,
    TooLargeError,
    Transient,
)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Header = tuple[bytes, bytes]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

RETRY_AFTER_S = 5
ARRIVED = "headwater.arrived"
"""In a scope: the whole body was there when the request was handed on, so nothing is waited for."""
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_STEP_BYTES = 1 << 20


def read_headers(scope: Scope) -> dict[str, str]:
    """Return the request's headers with lower-case names; a repeated one keeps its last value."""
    return {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
    }


async def read_body(
    scope: Scope, receive: Receive, encoding: str, *, max_bytes: int, timeout_s: float
) -> bytes:
    """Return the decompressed body.

    Raises `TooLargeError` past `max_bytes` (sent or decompressed), `InvalidInputError` when the
    encoding is unknown or broken or the client goes away, `SlowBodyError` when it is too slow.
    """
    if scope.get(ARRIVED):
        raw = await _read_raw(receive, max_bytes)
    else:
        raw = await _read_slowly(receive, max_bytes, timeout_s)
    return decompress(raw, encoding, max_bytes=max_bytes)


async def _read_slowly(receive: Receive, max_bytes: int, timeout_s: float) -> bytes:
    try:
        async with asyncio.timeout(timeout_s):
            return await _read_raw(receive, max_bytes)
    except TimeoutError as err:
        raise SlowBodyError(f"The body did not arrive within {timeout_s:g} seconds.") from err


async def _read_raw(receive: Receive, max_bytes: int) -> bytes:
    chunks: list[bytes] = []
    size_bytes = 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise InvalidInputError("The connection closed before the whole body had arrived.")
        chunk = event.get("body", b"")
        size_bytes += len(chunk)
        if size_bytes > max_bytes:
            raise _too_large(max_bytes)
        chunks.append(chunk)
        if not event.get("more_body"):
            return b"".join(chunks)


def decompress(raw: bytes, encoding: str, *, max_bytes: int) -> bytes:
    """Undo `Content-Encoding`: none, gzip, deflate (zlib-wrapped or raw). One layer only."""
    match encoding.strip().lower():
        case "" | "identity":
            return raw
        case "gzip" | "x-gzip":
            return _inflate(raw, _GZIP_OR_ZLIB, max_bytes)
        case "deflate":
            try:
                return _inflate(raw, _GZIP_OR_ZLIB, max_bytes)
            except InvalidInputError:
                return _inflate(raw, -zlib.MAX_WBITS, max_bytes)
        case _:
            raise InvalidInputError(
                f"Content-Encoding {encoding!r} is not supported.",
                hint="Send gzip, deflate or none.",
            )


def _inflate(raw: bytes, window_bits: int, max_bytes: int) -> bytes:
    # Step by step, so that a bomb is noticed at the cap and not after it has filled the memory.
    out: list[bytes] = []
    size_bytes = 0
    rest = raw
    try:
        while rest:
            engine = zlib.decompressobj(window_bits)
            while rest and not engine.eof:
                chunk = engine.decompress(rest, _STEP_BYTES)
                size_bytes += len(chunk)
                if size_bytes > max_bytes:
                    raise _too_large(max_bytes)
                out.append(chunk)
                rest = engine.unconsumed_tail
                if not chunk and not rest:
                    break
            if not engine.eof:
                raise InvalidInputError("The compressed body is cut short.")
            rest = engine.unused_data
    except igzip_lib.IsalError as err:  # type: ignore[misc]  # declared as any object
        raise InvalidInputError(f"The compressed body is broken: {err}") from err
    return b"".join(out)


def _too_large(max_bytes: int) -> TooLargeError:
    return TooLargeError(
        f"The body is larger than {max_bytes} bytes (decompressed).", hint="Send smaller batches."
    )


async def answer(
    send: Send,
    status: int,
    body: bytes = b"",
    headers: Iterable[Header] = (),
    *,
    media: bytes = b"application/json",
) -> None:
    """Send one whole answer."""
    head: list[Header] = [(b"content-length", str(len(body)).encode()), *headers]
    if body:
        head.append((b"content-type", media))
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})


async def answer_json(
    send: Send, status: int, body: object, headers: Iterable[Header] = ()
) -> None:
    """Send one JSON answer."""
    await answer(send, status, msgspec.json.encode(body), headers)


async def answer_error(
    send: Send,
    error: HeadwaterError,
    headers: Iterable[Header] = (),
    extra: Mapping[str, object] | None = None,
) -> None:
    """Send an error as its status and JSON body; temporary ones carry `Retry-After`."""
    head = list(headers)
    if isinstance(error, Transient):
        head.append((b"retry-after", str(RETRY_AFTER_S).encode()))
    await answer_json(send, int(error.status), {**(extra or {}), **error.as_body()}, head)
