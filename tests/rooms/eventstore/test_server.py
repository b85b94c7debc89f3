"""A ClickHouse server by URL serves as well as the embedded engine, through the same code."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC
from pathlib import Path

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from headwater.base.settings import EventStoreSettings
from headwater.eventstore import EventStore
from headwater.eventstore.migrate import read_steps
from tests.support.calls import NOON, call_lines, make_calls
from tests.support.clickhouse_server import clickhouse_server


@pytest.fixture
def server_store(tmp_path: Path) -> Iterator[EventStore]:
    with clickhouse_server(tmp_path / "server") as url:
        settings = EventStoreSettings(url=f"{url}/analytics")
        with closing(EventStore.open(settings, tmp_path)) as store:
            yield store


async def test_inserts_over_http_are_idempotent(server_store: EventStore) -> None:
    """Lines of JSON over the wire, token and views included."""
    for _ in range(2):
        await server_store.insert_lines("landing", call_lines(make_calls(200)), token="calls:1-1")
    [calls] = await server_store.select("SELECT count() AS n, max(time) AS t FROM calls")
    assert (calls["n"], calls["t"], calls["t"].tzinfo) == (200, NOON, UTC)
    [counted] = await server_store.select("SELECT sum(calls) AS n FROM counters")
    assert counted["n"] == 200


async def test_many_ids_fit_into_a_question(server_store: EventStore) -> None:
    """20,000 ids are more than a URL can hold."""
    ids = [f"call_{number:036}" for number in range(20_000)]
    [row] = await server_store.select("SELECT length({ids:Array(String)}) AS n", {"ids": ids})
    assert row["n"] == 20_000


async def test_arrow_answers_come_over_http(server_store: EventStore) -> None:
    """The same types as from the embedded engine."""
    table = await server_store.select_arrow("SELECT toDateTime64(0, 3, 'UTC') AS at, 'x' AS s")
    assert table.to_pylist()[0]["s"] == "x"


async def test_reading_over_http_changes_nothing(server_store: EventStore) -> None:
    """The limits of a reading handle travel with each question."""
    await server_store.check()
    with pytest.raises(DatabaseError, match="readonly"):
        await server_store.select("CREATE TABLE x (a Int8) ENGINE = Memory")


async def test_the_database_is_the_one_of_the_url(tmp_path: Path) -> None:
    """A second start finds its tables there, and migrates nothing."""
    with clickhouse_server(tmp_path / "server") as url:
        settings = EventStoreSettings(url=f"{url}/analytics")
        EventStore.open(settings, tmp_path).close()
        with closing(EventStore.open(settings, tmp_path)) as store:
            [row] = await store.select(
                "SELECT currentDatabase() AS name, count() AS n FROM schema_versions"
            )
    assert row == {"name": "analytics", "n": len(read_steps())}
