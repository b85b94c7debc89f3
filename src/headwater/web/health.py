"""Prove that the engines work: `/health` for load balancers, `/metrics` for Prometheus.

Out: 200 only when log, store, configuration and disk each passed a real test within the last
seconds, else 503, with each test's age and milliseconds. Tests run at most once in `KEEP_S`,
however often somebody asks. Says which engine is ill, never where it lives.
"""

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import sqlalchemy as sa
from litestar import MediaType, Response, get
from litestar.di import NamedDependency
from litestar.response import Template
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from headwater.base.errors import HeadwaterError, UnavailableError
from headwater.base.telemetry import REGISTRY, get_logger
from headwater.ingest import list_unreadable
from headwater.warehouse import Standing
from headwater.web.auth import find_actor
from headwater.web.pages import AnyRequest, page, wants_page
from headwater.web.services import Services
from headwater.web.warehouses.telling import Health as Told
from headwater.web.warehouses.telling import tell_health

KEEP_S = 2.0
_TIMEOUT_S = 5.0
_PROBE = b"headwater"
_SHOWN = 10
_log = get_logger("web")


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One engine's last test."""

    ok: bool
    ms: float
    age_s: float
    code: str = ""
    hint: str = ""


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of `/health`."""

    ok: bool
    checks: dict[str, Check]


class HealthBook:
    """Remembers the last round of tests; one round at a time."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = asyncio.Lock()
        self._checked_s = float("-inf")
        self._checks: dict[str, Check] = {}

    async def read(self) -> Health:
        """Return the present health, testing again when the last round is too old."""
        async with self._lock:
            if time.monotonic() - self._checked_s > KEEP_S:
                self._checks = await self._test_all()
                self._checked_s = time.monotonic()
        age_s = round(time.monotonic() - self._checked_s, 3)
        checks = {
            name: msgspec.structs.replace(check, age_s=age_s)
            for name, check in self._checks.items()
        }
        return Health(ok=all(check.ok for check in checks.values()), checks=checks)

    async def _test_all(self) -> dict[str, Check]:
        services = self._services
        tests: dict[str, Callable[[], Awaitable[None]]] = {
            "log": services.log.check,
            "store": services.store.check,
            "configdb": self._test_configdb,
            "disk": self._test_disk,
        }
        results = await asyncio.gather(*(_test(name, test) for name, test in tests.items()))
        return dict(zip(tests, results, strict=True))

    async def _test_configdb(self) -> None:
        await self._services.configdb.run(lambda connection: connection.execute(sa.select(1)).one())

    async def _test_disk(self) -> None:
        settings = self._services.settings
        await asyncio.to_thread(write_probe, settings.data, settings.web.min_free_disk_bytes)


async def _test(name: str, test: Callable[[], Awaitable[None]]) -> Check:
    began_s = time.monotonic()
    code = hint = ""
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            await test()
    except HeadwaterError as err:
        code, hint = err.code, err.hint
        _log.error("health_check_failed", check=name, code=code, error=err.message)
    except Exception as err:  # noqa: BLE001 - whatever it is, the engine is not usable
        code = type(err).__name__
        _log.exception("health_check_failed", check=name, code=code)
    ms = round((time.monotonic() - began_s) * 1000, 1)
    return Check(ok=not code, ms=ms, age_s=0.0, code=code, hint=hint)


def write_probe(data: Path, min_free_bytes: int) -> None:
    """Write and sync a small file; raise `UnavailableError` when the disk is (nearly) full."""
    if shutil.disk_usage(data).free < min_free_bytes:
        raise UnavailableError(
            "The disk is nearly full.", hint="Free some space below the data directory."
        )
    with tempfile.TemporaryFile(dir=data, buffering=0) as file:
        file.write(_PROBE)
        os.fsync(file.fileno())


@get("/health", include_in_schema=False)
async def show_health(
    request: AnyRequest, health: NamedDependency[HealthBook], services: NamedDependency[Services]
) -> Response[Health] | Template:
    """Answer 200 when every engine is really usable, else 503; as a page to a browser."""
    found = await health.read()
    status = 200 if found.ok else 503
    if not wants_page(request):
        return Response(found, status_code=status)
    actor = request.scope["user"] = await find_actor(request)
    is_told = actor is not None and "admin" in actor.scopes and found.checks["store"].ok
    actor_reads = actor is not None and "read" in actor.scopes
    usable = found.checks["log"].ok and found.checks["configdb"].ok
    sick = await _sick_warehouses(services) if actor_reads and usable else []
    unreadable = await list_unreadable(services.store, _SHOWN) if is_told else None
    return page(
        request, "health.html", status=status, health=found, unreadable=unreadable, sick=sick
    )


async def _sick_warehouses(services: Services) -> list[tuple[Standing, Told]]:
    usual_s = services.settings.eventlog.keep_consumed_s
    standings = await services.warehouses.standings(usual_s)
    return [(one, tell_health(one)) for one in standings if one.needs_somebody]


@get("/metrics", include_in_schema=False, media_type=MediaType.TEXT, sync_to_thread=False)
def show_metrics() -> Response[bytes]:
    """Answer all counters in Prometheus' text format."""
    return Response(generate_latest(REGISTRY), headers={"content-type": CONTENT_TYPE_LATEST})
