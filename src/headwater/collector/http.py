"""The Collector API: the door that client libraries of API analytics knock at.

In: HTTP requests under `/v1` and `/collector/v1`. Out: 201 once every record is durable in the log,
or an honest error: 400 nothing in the body is JSON, 401 unknown key, 413 too large, 503 the log
refuses. Every answer carries the tags of configuration and rules, and is open to browsers of any
site. Holds no rules of its own: `accept` decides.
"""

import asyncio
import re
from collections.abc import Mapping
from functools import lru_cache

from headwater.base.asgi import Receive, Scope, Send, read_body, read_headers
from headwater.base.clock import Clock
from headwater.base.crash import crash_point
from headwater.base.errors import (
    HeadwaterError,
    NotAuthenticatedError,
    NotFoundError,
    TooLargeError,
    UnavailableError,
    WrongMethodError,
)
from headwater.base.settings import CollectorSettings
from headwater.base.telemetry import CALLS_DROPPED, CALLS_RECEIVED, get_logger
from headwater.base.vault import Vault
from headwater.collector.accept import Accepted, accept_actions, accept_events, accept_profiles
from headwater.collector.arrival import Arrival
from headwater.collector.config import Publisher
from headwater.collector.drop_rules import DROPPED, DropRules
from headwater.collector.json_text import write_json
from headwater.collector.otlp import OTLP_PATHS, OtlpReply, Signal, accept_export
from headwater.collector.reply import Reply
from headwater.collector.tables import accept_table
from headwater.eventlog import MAX_ENTRY_BYTES, GroupCommit
from headwater.workspace import App, CollectorKeys

KEY_HEADER = "x-moesif-application-id"
BACKFILL_HEADER = "x-headwater-backfill"
TABLE_PATH = "/v1/events/table"

_CONFIG, _RULES, _PROBE = "/v1/config", "/v1/rules", "/health/probe"
_GETS = frozenset({_CONFIG, _RULES, _PROBE})
_KINDS: Mapping[str, str] = {
    **OTLP_PATHS,
    **{
        f"/v1/{name}{form}": kind
        for name, kind in (
            ("events", "event"),
            ("actions", "action"),
            ("users", "user"),
            ("companies", "company"),
            ("subscriptions", "subscription"),
        )
        for form in ("", "/batch")
    },
    TABLE_PATH: "table",
}
_PREFIX = "/collector"
_SLASHES = re.compile(r"//+")
_THREAD_FROM_BYTES = 256_000
"""Larger bodies are read beside the event loop, so that small ones need not wait."""
_LONGEST_SDK = 200
_logger = get_logger("collector")


class CollectorApp:
    """The door as a raw ASGI application."""

    def __init__(
        self,
        group: GroupCommit,
        keys: CollectorKeys,
        vault: Vault,
        clock: Clock,
        settings: CollectorSettings,
    ) -> None:
        self._group = group
        self._keys = keys
        self._vault = vault
        self._clock = clock
        self._settings = settings
        self._publisher = Publisher()

    def handles(self, path: str) -> bool:
        """Tell whether a path belongs to this door."""
        plain = plain_path(path)
        return plain in _KINDS or plain in _GETS or path.startswith(f"{_PREFIX}/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        reply = _open_reply(scope, send)
        try:
            await self._answer(scope, receive, reply)
        except HeadwaterError as err:
            await reply.error(err)
        except Exception:
            # Whatever it is, the client must know that nothing was kept.
            _logger.exception("collector_failed", path=scope["path"])
            await reply.error(UnavailableError("The collector failed; nothing was kept."))

    async def _answer(self, scope: Scope, receive: Receive, reply: Reply) -> None:
        path, method = plain_path(scope["path"]), scope["method"]
        if method == "OPTIONS":
            await reply.preflight()
            return
        headers = read_headers(scope)
        app = await self._find_app(headers)
        if app is not None:
            reply.published = self._publisher.of(app)
        _check_route(path, method)
        if path == _PROBE:
            await reply.json(b'{"status":true,"region":"local"}')
            return
        if app is None:
            raise _unknown(headers)
        if path in _KINDS:
            body = await self._read(scope, headers, receive)
            arrival = self._arrival(app, headers, scope, reply.published.drops)
            if path == TABLE_PATH:
                await reply.json(await self._keep_table(body, arrival))
                return
            await reply.kept(await self._keep(_KINDS[path], body, arrival))
        else:
            await reply.json(reply.published.config if path == _CONFIG else reply.published.rules)

    async def _find_app(self, headers: Mapping[str, str]) -> App | None:
        key = headers.get(KEY_HEADER, "")
        return await self._keys.app_for(key) if key else None

    async def _read(self, scope: Scope, headers: Mapping[str, str], receive: Receive) -> bytes:
        most_bytes = self._settings.max_body_bytes
        announced = headers.get("content-length", "")
        if announced.isdigit() and int(announced) > most_bytes:
            raise TooLargeError(
                f"The body is larger than {most_bytes} bytes.", hint="Send smaller batches."
            )
        return await read_body(
            scope,
            receive,
            headers.get("content-encoding", ""),
            max_bytes=most_bytes,
            timeout_s=self._settings.body_timeout_s,
        )

    def _arrival(
        self, app: App, headers: Mapping[str, str], scope: Scope, drops: DropRules
    ) -> Arrival:
        peer = scope.get("client")
        return Arrival(
            app_id=app.id,
            received_at=self._clock.now(),
            ip_address=peer[0] if peer else "",
            sdk=(headers.get("x-moesif-sdk") or headers.get("user-agent", ""))[:_LONGEST_SDK],
            content_type=headers.get("content-type", ""),
            masking=app.masking,
            drops=drops,
            is_backfill=headers.get(BACKFILL_HEADER) == "1",
        )

    async def _keep(self, kind: str, body: bytes, arrival: Arrival) -> Accepted:
        """Decide on each item, and return when all records are durable."""
        if len(body) < _THREAD_FROM_BYTES:
            accepted = self._decide(kind, body, arrival)
        else:
            accepted = await asyncio.to_thread(self._decide, kind, body, arrival)
        crash_point("collector.before_append")
        if accepted.records:
            await self._group.append(accepted.records)
        crash_point("collector.before_answer")
        _count(kind, accepted)
        return accepted

    async def _keep_table(self, body: bytes, arrival: Arrival) -> bytes:
        """Return where in the log the calls of a table are, once they are durable."""
        rows, record = await asyncio.to_thread(self._read_table, body, arrival)
        crash_point("collector.before_append")
        # Alone: the importer counts by this offset, and other requests' calls are not its own.
        offset = await self._group.append_alone(record)
        crash_point("collector.before_answer")
        CALLS_RECEIVED.labels("event").inc(rows)
        return write_json({"offset": offset})

    def _read_table(self, body: bytes, arrival: Arrival) -> tuple[int, bytes]:
        table = accept_table(body, arrival, self._vault)
        return table.rows, write_json(table)

    def _decide(self, kind: str, body: bytes, arrival: Arrival) -> Accepted:
        most_bytes = min(self._settings.max_event_bytes, MAX_ENTRY_BYTES)
        match kind:
            case "event":
                return accept_events(body, arrival, self._vault, most_bytes)
            case "action":
                return accept_actions(body, arrival, self._vault, most_bytes)
            case "user" | "company" | "subscription":
                return accept_profiles(body, kind, arrival, self._vault, most_bytes)
            case Signal.SPAN | Signal.LOG:
                return accept_export(body, Signal(kind), arrival, self._vault, most_bytes)
            case _:
                raise AssertionError(kind)


def _count(kind: str, accepted: Accepted) -> None:
    CALLS_RECEIVED.labels(kind).inc(len(accepted.records) - accepted.rejected)
    for name, count in (("reject", accepted.rejected), ("ignored", accepted.ignored)):
        if count:
            CALLS_RECEIVED.labels(name).inc(count)
    if accepted.dropped:
        CALLS_DROPPED.labels(DROPPED).inc(accepted.dropped)


def _open_reply(scope: Scope, send: Send) -> Reply:
    signal = OTLP_PATHS.get(plain_path(scope["path"]))
    if signal is None:
        return Reply(send)
    return OtlpReply(send, signal, read_headers(scope).get("content-type", ""))


@lru_cache(maxsize=1024)
def plain_path(path: str) -> str:
    """Return a path without the prefix, doubled slashes and trailing slashes that clients make."""
    plain = _SLASHES.sub("/", path).rstrip("/")
    return plain.removeprefix(_PREFIX) if plain.startswith(f"{_PREFIX}/") else plain


def _unknown(headers: Mapping[str, str]) -> NotAuthenticatedError:
    known = "The collector application id is unknown."
    return NotAuthenticatedError(
        known if headers.get(KEY_HEADER) else "There is no key.",
        field="X-Moesif-Application-Id",
        hint="`headwater apps list` shows the ids.",
    )


def _check_route(path: str, method: str) -> None:
    if path not in _KINDS and path not in _GETS:
        known = ", ".join(sorted({*_KINDS, *_GETS}))
        raise NotFoundError(f"The Collector API has no {path}.", hint=f"There are {known}.")
    allowed = ("GET", "HEAD", "OPTIONS") if path in _GETS else ("POST", "OPTIONS")
    if method not in allowed:
        raise WrongMethodError(
            f"{path} does not answer {method}.", hint=f"Use {allowed[0]}.", allow=", ".join(allowed)
        )
