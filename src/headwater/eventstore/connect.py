"""Connect to the engine: chDB below the data directory, or a ClickHouse server by URL.

In: settings. Out: functions that open handles, one set for reading (read-only, with limits) and one
for writing. chDB takes one process per path and one path per process; handles are many, one a
thread, because one handle serialises.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

import clickhouse_connect
import msgspec
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ProgrammingError

from headwater.base.errors import MisconfiguredError
from headwater.base.settings import EventStoreSettings
from headwater.eventstore.engine_errors import engine_errors
from headwater.eventstore.inserting import Insert, insert_by_client, insert_embedded

_DATABASE = "headwater"
_PORTS = {"http": 8123, "https": 8443}

Limits = dict[str, int | str]


class Engine(msgspec.Struct, frozen=True):
    """How to open handles on one engine."""

    open_reader: Callable[[], Client]
    open_writer: Callable[[], Client]
    insert: Insert


def find_engine(settings: EventStoreSettings, data: Path) -> Engine:
    """Return the engine that the settings name, with its database made."""
    url = urlsplit(settings.url)
    if url.scheme in _PORTS:
        database = url.path.strip("/") or _DATABASE
        return _engine(partial(_open_server, settings.url), database, insert_by_client, settings)
    if url.scheme not in {"", "chdb"}:
        raise MisconfiguredError(
            f"The event store's URL cannot begin with {url.scheme!r}.",
            field="eventstore.url",
            hint="Use http://user:password@host:8123/database, or leave it empty.",
        )
    path = Path(url.path) if settings.url else data / "eventstore"
    options = {"max_server_memory_usage": settings.max_memory_bytes}
    address = f"{path.resolve()}?{urlencode(options)}"
    handle = partial(_open_embedded, path.resolve(), options)
    return _engine(handle, _DATABASE, partial(insert_embedded, address), settings)


def _engine(
    handle: Callable[[Limits], Client], database: str, insert: Insert, settings: EventStoreSettings
) -> Engine:
    with engine_errors():
        _make_database(handle({}), database)
    return Engine(
        open_reader=partial(_open, handle, database, _reading_limits(settings)),
        open_writer=partial(_open, handle, database, {}),
        insert=insert,
    )


def _open(handle: Callable[[Limits], Client], database: str, limits: Limits) -> Client:
    with engine_errors():
        client = handle(limits)
        client.database = database
        return client


def _make_database(client: Client, database: str) -> None:
    try:
        client.command(f"CREATE DATABASE IF NOT EXISTS `{database}`")
    finally:
        client.close()


def _open_embedded(path: Path, options: dict[str, int], limits: Limits) -> Client:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        client = clickhouse_connect.get_client(
            interface="chdb",
            path=str(path),
            chdb_options=options,
            settings=limits,
            tz_mode="aware",
        )
    except ProgrammingError as err:
        raise MisconfiguredError(
            f"The event store at {path} cannot be opened: {err}",
            hint="Only one process may use it: is another Headwater running on this directory?",
        ) from err
    _tell_what_was_read(client)
    return client


def _tell_what_was_read(client: Client) -> None:
    """Let a query's summary count the rows read, as a server's does: it counts those answered."""

    def summary(result: Any) -> dict[str, str]:
        return {"read_rows": str(result.storage_rows_read())}

    backend = client._backend  # type: ignore[attr-defined]  # noqa: SLF001 - no public way
    backend._summary = summary  # noqa: SLF001


def _open_server(url: str, limits: Limits) -> Client:
    parts = urlsplit(url)
    options: dict[str, Any] = {
        "interface": parts.scheme,
        "host": parts.hostname,
        "port": parts.port or _PORTS[parts.scheme],
        "username": unquote(parts.username or "default"),
        "password": unquote(parts.password or ""),
    }
    return clickhouse_connect.get_client(
        **options,
        settings=limits,
        tz_mode="aware",
        autogenerate_session_id=False,
        form_encode_query_params=True,  # thousands of ids do not fit into a URL
    )


def _reading_limits(settings: EventStoreSettings) -> Limits:
    # `readonly` comes last: nothing can be set after it.
    return {
        "max_execution_time": settings.query_timeout_s,
        "max_memory_usage": settings.max_memory_bytes // 2,
        "max_bytes_before_external_group_by": settings.max_memory_bytes // 8,
        "max_bytes_before_external_sort": settings.max_memory_bytes // 8,
        "max_result_rows": 10_000_000,
        "readonly": 1,
    }
