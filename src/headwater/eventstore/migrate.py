"""Bring the store to this version's shape.

In: a writing handle. Out: the tables and views of `sql/NNNN_*.sql`, each file run once; a file
that was cut short by a crash runs again, since its statements may run twice. Refuses a store that a
newer version wrote, and tables that would count a retried batch twice.
"""

from importlib.resources import files

import msgspec
from clickhouse_connect.driver.client import Client

from headwater.base.crash import crash_point
from headwater.base.errors import HeadwaterError, MisconfiguredError

_VERSIONS = """
CREATE TABLE IF NOT EXISTS schema_versions (
    version UInt32, name String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
) ENGINE = MergeTree ORDER BY version
SETTINGS
    non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
"""

_DONE = "INSERT INTO schema_versions (version, name) SELECT {version:UInt32}, {name:String}"

_UNPROTECTED = """
SELECT name FROM system.tables
WHERE database = currentDatabase() AND engine LIKE '%MergeTree'
    AND NOT startsWith(engine, 'Replicated') AND NOT startsWith(engine, 'Shared')
    AND NOT match(engine_full, 'non_replicated_deduplication_window = [1-9]')
ORDER BY name
"""


class Step(msgspec.Struct, frozen=True):
    """One numbered file."""

    version: int
    name: str
    statements: tuple[str, ...]


def read_steps() -> list[Step]:
    """Return the files of `sql/`, by number."""
    folder = files("headwater.eventstore") / "sql"
    found = [file for file in folder.iterdir() if file.name.endswith(".sql")]
    return [
        Step(int(file.name[:4]), file.name, split_statements(file.read_text("utf-8")))
        for file in sorted(found, key=lambda file: file.name)
    ]


def split_statements(text: str) -> tuple[str, ...]:
    """Return the statements of a file, without comment lines."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("--")]
    parts = "\n".join(lines).split(";\n")
    return tuple(part.strip().rstrip(";") for part in parts if part.strip())


def migrate(client: Client, steps: list[Step], *, stop: HeadwaterError | None = None) -> int:
    """Run what is missing; return the version the store is at.

    `stop` is raised instead where something is missing from tables that are in use.
    """
    client.command(_VERSIONS)
    rows = client.query("SELECT version FROM schema_versions").result_rows
    done = {int(row[0]) for row in rows}
    newest = max(step.version for step in steps)
    if done and max(done) > newest:
        raise MisconfiguredError(
            f"The event store is from a newer Headwater: version {max(done)}, known {newest}.",
            hint="Install that version again, or restore a backup made with this one.",
        )
    missing = [step for step in steps if step.version not in done]
    if missing and done and stop is not None:
        raise stop
    for step in missing:
        _run(client, step)
    _check_windows(client)
    return newest


def _run(client: Client, step: Step) -> None:
    for statement in step.statements:
        client.command(statement)
        crash_point("eventstore.migrated_statement")
    client.command(_DONE, parameters={"version": step.version, "name": step.name})


def _check_windows(client: Client) -> None:
    unprotected = [str(row[0]) for row in client.query(_UNPROTECTED).result_rows]
    if unprotected:
        raise MisconfiguredError(
            f"Tables without a deduplication window: {', '.join(unprotected)}.",
            hint="Create them with non_replicated_deduplication_window; retries count twice else.",
        )
