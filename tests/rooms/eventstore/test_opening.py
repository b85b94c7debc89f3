"""A data directory has one owner, is brought to this version, and survives a crash on the way."""

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client

from headwater.base.errors import MisconfiguredError
from headwater.base.settings import EventStoreSettings
from headwater.eventstore import EventStore
from headwater.eventstore.connect import find_engine
from headwater.eventstore.migrate import migrate, read_steps

_PACKED_SINCE = 10
_OPEN = """
import sys
from pathlib import Path
from headwater.base.errors import MisconfiguredError
from headwater.base.settings import EventStoreSettings
from headwater.eventstore import EventStore
try:
    EventStore.open(EventStoreSettings(), Path(sys.argv[1])).close()
except MisconfiguredError as err:
    print("REFUSED", err.hint)
"""


def _open_elsewhere(data: Path, crash_at: str = "") -> subprocess.CompletedProcess[str]:
    environment = os.environ | ({"HEADWATER_CRASH_AT": crash_at} if crash_at else {})
    return subprocess.run(
        [sys.executable, "-c", _OPEN, str(data)],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_a_second_process_is_refused_at_once(tmp_path: Path) -> None:
    """With advice; and once the first has closed, the second may."""
    with closing(EventStore.open(EventStoreSettings(), tmp_path)):
        refused = _open_elsewhere(tmp_path)
    assert "REFUSED Only one process" in refused.stdout
    assert "REFUSED" not in _open_elsewhere(tmp_path).stdout


def test_a_second_path_in_one_process_is_refused(tmp_path: Path) -> None:
    """chDB holds one path; the error says so instead of mixing data."""
    first = EventStore.open(EventStoreSettings(), tmp_path / "a")
    with closing(first), pytest.raises(MisconfiguredError):
        EventStore.open(EventStoreSettings(), tmp_path / "b")


@pytest.mark.parametrize("statement", [1, 2, 7, 14])
async def test_a_crash_in_the_middle_of_a_migration_is_mended(
    tmp_path: Path, statement: int
) -> None:
    """The next start finishes what was begun."""
    crashed = _open_elsewhere(tmp_path, crash_at=f"eventstore.migrated_statement:{statement}")
    assert crashed.returncode == 137
    with closing(EventStore.open(EventStoreSettings(), tmp_path)) as store:
        versions = await store.select("SELECT version FROM schema_versions ORDER BY version")
        assert [row["version"] for row in versions] == [step.version for step in read_steps()]
        assert await store.select("SELECT * FROM rejects") == []


def _tables(client: Client) -> dict[str, str]:
    found = client.query(
        "SELECT name, create_table_query FROM system.tables WHERE database = currentDatabase()"
    )
    return {str(name): str(made_by) for name, made_by in found.result_rows}


def _migrated(data: Path, before: Callable[[Client], None]) -> dict[str, str]:
    with closing(find_engine(EventStoreSettings(), data).open_writer()) as client:
        before(client)
        migrate(client, read_steps())
        return _tables(client)


def _break_off_everywhere(client: Client) -> None:
    steps = read_steps()
    for number, step in enumerate(steps, start=1):
        for done in range(1, len(step.statements) + 1):
            for statement in step.statements[:done]:
                client.command(statement)
        migrate(client, steps[:number])


def test_each_file_goes_on_from_any_of_its_statements(tmp_path: Path) -> None:
    """A migration that crashes cut short ends in the same tables and views as one in one go."""
    whole = _migrated(tmp_path / "whole", lambda _: None)
    broken = _migrated(tmp_path / "broken", _break_off_everywhere)
    assert len(whole) > 20
    assert broken == whole


_IDS = (
    "0b7e6a52-9c1d-4f7e-8a35-6f0e2d4c1b9a",
    "0B7E6A52-9C1D-4F7E-8A35-6F0E2D4C1B9A",
    "0b7e6a529c1d4f7e8a356f0e2d4c1b9a",
    "{0b7e6a52-9c1d-4f7e-8a35-6f0e2d4c1b9a}",
    "00000000-0000-0000-0000-000000000000",
    "order 17",
)


def test_ids_of_calls_are_what_was_sent_before_and_after_the_store_packs_them(
    tmp_path: Path,
) -> None:
    """Only an id that is spelt as the engine spells UUIDs is kept as one; so it was on upgrade."""
    with closing(find_engine(EventStoreSettings(), tmp_path).open_writer()) as client:
        steps = read_steps()
        older = [step for step in steps if step.version < _PACKED_SINCE]
        for when, known in (("old", older), ("new", steps)):
            migrate(client, known)
            for id_ in _IDS:
                client.command(
                    "INSERT INTO landing (app_id, time, call_id, user_id)"
                    f" VALUES ('{when}', '2026-11-24 10:00:00', '{id_}', 'ann')"
                )
        rows = client.query(
            "SELECT app_id, groupArray(call_id), countIf(call_text = ''), any(user_bucket)"
            " FROM calls WHERE user_id = 'ann' GROUP BY app_id ORDER BY app_id"
        ).result_rows
    assert [(app, sorted(ids), packed) for app, ids, packed, _ in rows] == [
        (app, sorted(_IDS), 2) for app in ("new", "old")
    ]
    assert rows[0][3] == rows[1][3]


async def test_opening_again_migrates_nothing(tmp_path: Path) -> None:
    """Each file runs once."""
    EventStore.open(EventStoreSettings(), tmp_path).close()
    with closing(EventStore.open(EventStoreSettings(), tmp_path)) as store:
        [row] = await store.select("SELECT count() AS n FROM schema_versions")
    assert row["n"] == len(read_steps())


def test_a_newer_store_is_refused(tmp_path: Path) -> None:
    """An old version must not write into tables that it does not know."""
    client = find_engine(EventStoreSettings(), tmp_path).open_writer()
    steps = read_steps()
    migrate(client, steps)
    with pytest.raises(MisconfiguredError, match="newer"):
        migrate(client, steps[:-1])
    client.close()


def test_tables_in_use_stay_as_they_are_while_there_is_a_reason(tmp_path: Path) -> None:
    """A store that is new, or up to date, does not ask for reasons."""
    client = find_engine(EventStoreSettings(), tmp_path).open_writer()
    steps, reason = read_steps(), MisconfiguredError("not now")
    migrate(client, steps[:-1], stop=reason)
    with pytest.raises(MisconfiguredError, match="not now"):
        migrate(client, steps, stop=reason)
    [(newest,)] = client.query("SELECT max(version) FROM schema_versions").result_rows
    assert newest == steps[-2].version
    migrate(client, steps)
    assert migrate(client, steps, stop=reason) == steps[-1].version
    client.close()


def test_a_table_that_would_count_retries_twice_is_refused(tmp_path: Path) -> None:
    """Without a window of its own a view's target repeats every retried batch."""
    client = find_engine(EventStoreSettings(), tmp_path).open_writer()
    client.command("CREATE TABLE careless (a Int8) ENGINE = MergeTree ORDER BY a")
    with pytest.raises(MisconfiguredError, match="careless"):
        migrate(client, read_steps())
    client.close()


async def test_the_time_that_ids_are_kept_follows_the_setting(tmp_path: Path) -> None:
    """A change takes effect at the next start."""
    for days in (30, 7):
        with closing(EventStore.open(EventStoreSettings(dedup_days=days), tmp_path)) as store:
            tables = await store.select(
                "SELECT engine_full AS e FROM system.tables"
                " WHERE database = 'headwater' AND name IN ('call_ids', 'action_ids')"
            )
            assert [f"toIntervalDay({days})" in table["e"] for table in tables] == [True, True]


async def test_a_data_directory_may_be_named_by_url(tmp_path: Path) -> None:
    """chdb:///path is the written-out form of the default."""
    with closing(
        EventStore.open(EventStoreSettings(url=f"chdb://{tmp_path}/elsewhere"), tmp_path)
    ) as store:
        await store.check()
    assert (tmp_path / "elsewhere").is_dir()
    client = clickhouse_connect.get_client(interface="chdb", path=str(tmp_path / "elsewhere"))
    assert client.query("SELECT count() FROM headwater.calls").result_rows == [(0,)]
    client.close()
