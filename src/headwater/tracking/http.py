"""Open the door of the Tracking API: paths, CORS and answers.

In: ASGI requests. Out: `{"success": true}` after the durable append, or an honest status. What a
path means is known in `paths`, what a request means is decided in `accept`.
"""

from datetime import timedelta
from urllib.parse import urlsplit

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
    NotAuthenticatedError,
    NotFoundError,
    Terminal,
    TooLargeError,
    TooManyError,
    Transient,
)
from headwater.base.settings import TrackingSettings
from headwater.base.telemetry import MESSAGES_RECEIVED
from headwater.base.vault import Vault
from headwater.configdb import ConfigDb
from headwater.eventlog import EventLog, GroupCommit
from headwater.tracking.accept import Accept, Arrival, Rejected
from headwater.tracking.cdn import MAX_AGE_S, settings_of
from headwater.tracking.keys import SourceKeys, read_basic
from headwater.tracking.once import AppendOnce
from headwater.tracking.paths import Route, read_path
from headwater.tracking.pixel import IMAGE, MEDIA, read_pixel
from headwater.tracking.rules import Rules
from headwater.tracking.suppression import Suppression
from headwater.tracking.watch import Watch

_MODES = ("strict", "segment")
_METHODS = {"pixel": "GET", "settings": "GET", "key-check": "GET, POST"}
_TOLD_IN_EVERY_MODE = frozenset({"invalid_json", "too_large"})
_OPEN: tuple[Header, ...] = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"retry-after, x-ratelimit-reset"),
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
        vault: Vault,
        clock: Clock,
        settings: TrackingSettings,
        public_url: str = "",
    ) -> None:
        """`public_url` is where browsers reach this server; empty: where their request went."""
        if settings.mode not in _MODES:
            raise MisconfiguredError(
                f"HEADWATER_TRACKING__MODE is {settings.mode!r}.",
                hint=f"Modes are {', '.join(_MODES)}.",
            )
        self._settings = settings
        self._public_url = public_url
        keep = timedelta(days=settings.dedup_days)
        self._once = AppendOnce(group, log, configdb, clock, keep)
        self._keys = SourceKeys(configdb, clock)
        suppression = Suppression(configdb, vault, clock)
        self._rules = Rules(configdb, clock)
        self._watch = Watch(configdb, clock)
        self._accept = Accept(
            self._once, self._keys, self._rules, suppression, self._watch, clock, settings
        )
        self._in_flight = 0

    def handles(self, path: str) -> bool:
        """Tell whether a path belongs to the Tracking API."""
        return read_path(path) is not None

    async def close(self) -> None:
        await self._once.close()
        await self._watch.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = read_path(scope["path"])
        if route is None:
            await self._answer_error(send, NotFoundError("The Tracking API has no such path."))
            return
        match route.what, scope["method"]:
            case _, "OPTIONS":
                await answer(send, 204, headers=_PREFLIGHT)
            case "messages", "POST":
                await self._take_messages(route, scope, receive, send)
            case "pixel", "GET":
                await self._take_pixel(route, scope, send)
            case "settings", "GET":
                await self._tell_settings(route, scope, send)
            case "key-check", "GET" | "POST":
                await self._check_key(scope, send)
            case "metrics", "POST":  # the browser library's own; nobody wants them
                await answer_json(send, 200, _success([]), _OPEN)
            case what, _:
                await self._refuse_method(what, send)

    async def _take_messages(
        self, route: Route, scope: Scope, receive: Receive, send: Send
    ) -> None:
        try:
            rejected = await self._admit(route, scope, receive)
        except HeadwaterError as err:
            await self._answer_error(send, err)
        else:
            await answer_json(send, 200, _success(rejected), _OPEN)

    async def _admit(self, route: Route, scope: Scope, receive: Receive) -> list[Rejected]:
        if self._in_flight >= self._settings.max_in_flight:
            raise TooManyError("Too many requests at once.", hint="Send fewer, larger batches.")
        self._in_flight += 1
        try:
            return await self._accept.accept(await self._read(route, scope, receive))
        finally:
            self._in_flight -= 1

    async def _read(self, route: Route, scope: Scope, receive: Receive) -> Arrival:
        headers = read_headers(scope)
        authorization = headers.get("authorization", "")
        try:
            body = await read_body(
                scope,
                receive,
                headers.get("content-encoding", ""),
                max_bytes=self._settings.max_batch_bytes,
                timeout_s=self._settings.body_timeout_s,
            )
        except HeadwaterError as err:
            await self._accept.note_refused(err, authorization, b"")
            raise
        return _arrival(route, scope, body, authorization)

    async def _take_pixel(self, route: Route, scope: Scope, send: Send) -> None:
        """Answer with the image whatever happened; what was wrong is counted."""
        try:
            body = read_pixel(scope.get("query_string", b"").decode("utf-8", "replace"))
            await self._accept.accept(_arrival(route, scope, body, ""))
        except HeadwaterError as err:
            MESSAGES_RECEIVED.labels(f"pixel_{err.facts.get('reason', err.code)}").inc()
        never = (b"cache-control", b"no-store")
        await answer(send, 200, IMAGE, [*_OPEN, never], media=MEDIA)

    async def _tell_settings(self, route: Route, scope: Scope, send: Send) -> None:
        """A wrong key is told here, as nowhere else, to the browser library."""
        source = await self._keys.find(route.write_key)
        if source is None or not source.enabled:
            text = b"There is no enabled source with this write key."
            await answer(send, 404, text, _OPEN, media=b"text/plain; charset=utf-8")
            return
        here = f"{scope.get('scheme', 'http')}://{read_headers(scope).get('host', '')}"
        url = urlsplit(self._public_url or here)
        for_a_while = (b"cache-control", f"public, max-age={MAX_AGE_S}".encode())
        blocked = await self._rules.blocked_events(source.id)
        settings = settings_of(route.write_key, url.netloc, url.scheme, blocked)
        await answer_json(send, 200, settings, [*_OPEN, for_a_while])

    async def _check_key(self, scope: Scope, send: Send) -> None:
        """Say honestly, in every mode, whether the key of the header may write."""
        try:
            source = await self._keys.enter(
                read_basic(read_headers(scope).get("authorization", ""))
            )
        except HeadwaterError as err:
            code = str(err.facts.get("reason", err.code))
            body = {"success": False, "code": code, "message": err.message}
            await answer_json(send, int(err.status), body, _OPEN)
        else:
            await answer_json(send, 200, {"success": True, "source": source.slug}, _OPEN)

    async def _refuse_method(self, what: str, send: Send) -> None:
        allowed = _METHODS.get(what, "POST")
        body = {"success": False, "code": "method_not_allowed", "message": f"Use {allowed}."}
        allow = (b"allow", f"{allowed}, OPTIONS".encode())
        await answer_json(send, 405, body, [*_OPEN, allow])

    async def _answer_error(self, send: Send, err: HeadwaterError) -> None:
        """Temporary trouble is 429 or 503 with `Retry-After`: clients drop on every other 4xx."""
        code = str(err.facts.get("reason", err.code))
        is_original = self._settings.mode == "segment"
        if is_original and isinstance(err, Terminal) and not _is_always_told(err):
            await answer_json(send, 200, {"success": True}, _OPEN)
            return
        body = {"success": False, "code": code, "message": err.message}
        if err.facts.get("rejected"):
            body["rejected"] = msgspec.to_builtins(err.facts["rejected"])
        # Segment answers 400 for what is too large or names no key, and its clients know it so.
        as_400 = (TooLargeError, NotAuthenticatedError) if is_original else (TooLargeError,)
        status = 400 if isinstance(err, as_400) else int(err.status)
        await answer_json(send, status, body, [*_OPEN, *_when_to_try_again(err)])


def _is_always_told(err: HeadwaterError) -> bool:
    """Tell whether the original, too, says that a request failed.

    What has no reason never became a message: a body cut short, broken, or too large.
    """
    if "reason" not in err.facts or err.facts.get("names_key") is False:
        return True
    reasons = err.facts.get("reasons", {err.facts["reason"]})
    return isinstance(reasons, set) and reasons <= _TOLD_IN_EVERY_MODE


def _when_to_try_again(err: HeadwaterError) -> list[Header]:
    """Seconds in both: browser libraries before 2026 read the second name, and only at 429."""
    wait = str(RETRY_AFTER_S).encode()
    if isinstance(err, TooManyError):
        return [(b"retry-after", wait), (b"x-ratelimit-reset", wait)]
    return [(b"retry-after", wait)] if isinstance(err, Transient) else []


def _arrival(route: Route, scope: Scope, body: bytes, authorization: str) -> Arrival:
    client = scope.get("client")
    return Arrival(
        body=body,
        type=route.type,
        is_client_side=route.is_short or route.what == "pixel",
        authorization=authorization,
        ip=client[0] if client else "",
    )


def _success(rejected: list[Rejected]) -> dict[str, object]:
    return {"success": True, "rejected": rejected} if rejected else {"success": True}
