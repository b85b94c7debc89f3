"""Open the door of the Tracking API: paths, CORS and answers.

In: ASGI requests under `/v1`. Out: `{"success": true}` after the durable append, or an honest
status. What a request means is decided in `accept`.
"""

from datetime import timedelta

import msgspec

from headwater.base.asgi import (
    RETRY_AFTER_S,
    Header,
    Receive,
    Scope,
    Send,
    answer,
    answer_json,
    read_body,
    read_headers,
)
from headwater.base.clock import Clock
from headwater.base.errors import (
    HeadwaterError,
    MisconfiguredError,
    TooLargeError,
    TooManyError,
    Transient,
)
from headwater.base.settings import TrackingSettings
from headwater.configdb import ConfigDb
from headwater.eventlog import EventLog, GroupCommit
from headwater.tracking.accept import Accept, Arrival, Rejected
from headwater.tracking.keys import SourceKeys
from headwater.tracking.once import AppendOnce

_LONG_PATHS = {
    **{name: name for name in ("identify", "track", "page", "screen", "group", "alias")},
    "batch": "",
    "import": "",
}
_SHORT_PATHS = {
    "i": "identify",
    "t": "track",
    "p": "page",
    "s": "screen",
    "g": "group",
    "a": "alias",
    "b": "",
}
_PREFIX = "/v1/"
_MODES = ("strict", "segment")
_TOLD_IN_EVERY_MODE = frozenset({"invalid_json", "too_large"})
_OPEN: tuple[Header, ...] = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"retry-after"),
)
_PREFLIGHT: tuple[Header, ...] = (
    *_OPEN,
    (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
    (b"access-control-allow-headers", b"authorization, content-type, x-retry-count"),
    (b"access-control-max-age", b"86400"),
)


class TrackingApp:
    """The ASGI application; `handles` tells which paths are its own."""

    def __init__(
        self,
        group: GroupCommit,
        log: EventLog,
        configdb: ConfigDb,
        clock: Clock,
        settings: TrackingSettings,
    ) -> None:
        if settings.mode not in _MODES:
            raise MisconfiguredError(
                f"HEADWATER_TRACKING__MODE is {settings.mode!r}.",
                hint=f"Modes are {', '.join(_MODES)}.",
            )
        self._settings = settings
        keep = timedelta(days=settings.dedup_days)
        self._once = AppendOnce(group, log, configdb, clock, keep)
        self._accept = Accept(self._once, SourceKeys(configdb, clock), clock, settings)
        self._in_flight = 0

    def handles(self, path: str) -> bool:
        """Tell whether a path belongs to the Tracking API."""
        name = _name_of(path)
        return name in _LONG_PATHS or name in _SHORT_PATHS

    async def close(self) -> None:
        await self._once.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["method"]:
            case "OPTIONS":
                await answer(send, 204, headers=_PREFLIGHT)
            case "POST":
                await self._answer_post(scope, receive, send)
            case _:
                body = {"success": False, "code": "method_not_allowed", "message": "Use POST."}
                await answer_json(send, 405, body, [*_OPEN, (b"allow", b"POST, OPTIONS")])

    async def _answer_post(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            rejected = await self._admit(scope, receive)
        except HeadwaterError as err:
            await self._answer_error(send, err)
        else:
            await answer_json(send, 200, _success(rejected), _OPEN)

    async def _admit(self, scope: Scope, receive: Receive) -> list[Rejected]:
        if self._in_flight >= self._settings.max_in_flight:
            raise TooManyError("Too many requests at once.", hint="Send fewer, larger batches.")
        self._in_flight += 1
        try:
            return await self._accept.accept(await self._read(scope, receive))
        finally:
            self._in_flight -= 1

    async def _read(self, scope: Scope, receive: Receive) -> Arrival:
        headers = read_headers(scope)
        name = _name_of(scope["path"])
        client = scope.get("client")
        body = await read_body(
            receive,
            headers.get("content-encoding", ""),
            max_bytes=self._settings.max_batch_bytes,
            timeout_s=self._settings.body_timeout_s,
        )
        return Arrival(
            body=body,
            type=_LONG_PATHS.get(name) or _SHORT_PATHS.get(name, ""),
            is_short_path=name in _SHORT_PATHS,
            authorization=headers.get("authorization", ""),
            ip=client[0] if client else "",
        )

    async def _answer_error(self, send: Send, err: HeadwaterError) -> None:
        """Temporary trouble is 429 or 503 with `Retry-After`: clients drop on every other 4xx."""
        code = str(err.facts.get("reason", err.code))
        headers = list(_OPEN)
        if isinstance(err, Transient):
            headers.append((b"retry-after", str(RETRY_AFTER_S).encode()))
        elif self._settings.mode == "segment" and code not in _TOLD_IN_EVERY_MODE:
            await answer_json(send, 200, {"success": True}, headers)
            return
        body = {"success": False, "code": code, "message": err.message}
        if err.facts.get("rejected"):
            body["rejected"] = msgspec.to_builtins(err.facts["rejected"])
        # Segment answers 400 for what is too large, and its clients know it so.
        status = 400 if isinstance(err, TooLargeError) else int(err.status)
        await answer_json(send, status, body, headers)


def _name_of(path: str) -> str:
    """Return the last part of a path below `/v1`, tolerant of doubled and trailing slashes."""
    tidy = "/" + path.strip("/")
    return tidy.removeprefix(_PREFIX) if tidy.startswith(_PREFIX) else ""


def _success(rejected: list[Rejected]) -> dict[str, object]:
    return {"success": True, "rejected": rejected} if rejected else {"success": True}
