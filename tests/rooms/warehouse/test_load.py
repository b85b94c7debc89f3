"""A warehouse that people touch, fill and lock is loaded all the same, or says why not."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from headwater.base.errors import MisconfiguredError, UnavailableError
from tests.rooms.warehouse.support import LOADED_AT, SCHEMA, File, an_identify


def _load(file: File, number: int, **traits: object) -> None:
    at = LOADED_AT + timedelta(hours=number)
    file.load(an_identify(f"m{number}", "ann", at, **traits), loaded_at=at)


def test_a_schema_made_by_hand_is_used(tmp_path: Path) -> None:
    """Whoever may not create schemas has one made beforehand."""
    file = File(tmp_path)
    file.run(f"CREATE SCHEMA {SCHEMA}")
    _load(file, 1, plan="a")
    assert [row["plan"] for row in file.table("users")] == ["a"]


def test_a_type_changed_by_hand_is_respected(tmp_path: Path) -> None:
    """A column declared as text takes everything from then on."""
    file = File(tmp_path)
    _load(file, 1, code=7)
    for table in ("identifies", "users"):
        file.run(f"ALTER TABLE {SCHEMA}.{table} ALTER COLUMN code TYPE VARCHAR")
    _load(file, 2, code=8)
    assert [row["code"] for row in file.table("identifies")] == ["7", "8"]
    assert [row["code"] for row in file.table("users")] == ["8"]


def test_names_that_need_quotes(tmp_path: Path) -> None:
    """A leading digit and a word of SQL stay as they are."""
    file = File(tmp_path)
    _load(file, 1, **{"2xx": 5, "select": "a", "order": {"by": True}})
    (row,) = file.table("identifies")
    assert (row["2xx"], row["select"], row["order_by"]) == (5, "a", True)


def test_a_locked_file_is_said_to_be_locked(tmp_path: Path) -> None:
    """Another program's lock ends the load with advice; once free, the load goes through."""
    file = File(tmp_path)
    _load(file, 1, plan="a")
    with _held_by_another_program(file), pytest.raises(UnavailableError) as caught:
        _load(file, 2, plan="b")
    assert "lock" in caught.value.message
    assert "Close other programs" in caught.value.hint
    _load(file, 2, plan="b")
    assert [row["plan"] for row in file.table("users")] == ["b"]


@contextmanager
def _held_by_another_program(file: File) -> Iterator[None]:
    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(1, flush=True); input()"
    command = [sys.executable, "-c", hold, str(file.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as shell:
        assert shell.stdin is not None
        assert shell.stdout is not None
        shell.stdout.readline()
        yield
        shell.stdin.write(b"\n")


def test_the_file_is_free_between_loads(tmp_path: Path) -> None:
    """A shell may open it for writing as soon as a load is over."""
    file = File(tmp_path)
    _load(file, 1, plan="a")
    with duckdb.connect(file.path) as connection:
        connection.execute("CREATE TABLE mine (a INTEGER)")
    _load(file, 2, plan="b")


def test_a_schema_cannot_have_the_name_of_its_file(tmp_path: Path) -> None:
    """DuckDB could not tell them apart, so the load is refused with advice."""
    file = File(tmp_path)
    file.path = tmp_path / f"{SCHEMA}.duckdb"
    with pytest.raises(MisconfiguredError, match="both be called"):
        _load(file, 1, plan="a")
