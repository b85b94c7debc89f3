"""A warehouse that people touch, fill and lock is loaded all the same, or says why not."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from headwater.base.errors import MisconfiguredError, UnavailableError
from headwater.warehouse.tables import Notice
from tests.rooms.warehouse.support import LOADED_AT, SCHEMA, File, an_identify


def _load(file: File, number: int, **traits: object) -> None:
    at = LOADED_AT + timedelta(hours=number)
    file.load(an_identify(f"m{number}", "ann", at, **traits), loaded_at=at)


def test_an_integer_column_becomes_float(tmp_path: Path) -> None:
    """The first fraction widens the column in both tables, and no value is rounded."""
    file = File(tmp_path)
    _load(file, 1, score=1)
    _load(file, 2, score=1.5)
    _load(file, 3, score=2)
    assert [row["score"] for row in file.table("identifies")] == [1.0, 1.5, 2.0]
    assert file.types("identifies")["score"] == file.types("users")["score"] == "DOUBLE"
    assert [row["score"] for row in file.table("users")] == [2.0]


def test_what_does_not_fit_is_found_again_in_discards(tmp_path: Path) -> None:
    """Text in an integer column becomes null; loading it twice notes it once."""
    file = File(tmp_path)
    _load(file, 1, seats=40)
    message = an_identify("m2", "ann", LOADED_AT, seats="forty")
    for _ in range(2):
        filled = file.load(message)
        assert filled.notices == {Notice("discarded", "identifies", "seats"): 1}
    (discard,) = file.table("_discards")
    assert discard == {
        "table_name": "identifies",
        "row_id": "m2",
        "column_name": "seats",
        "column_value": "forty",
        "reason": "the column is of type integer",
        "received_at": LOADED_AT,
        "uuid_ts": LOADED_AT,
    }
    assert [row["seats"] for row in file.table("users")] == [40]


def test_a_column_dropped_by_hand_comes_back(tmp_path: Path) -> None:
    """The warehouse itself is asked what it has, before each load."""
    file = File(tmp_path)
    _load(file, 1, plan="a", city="Bonn")
    file.run(f"ALTER TABLE {SCHEMA}.identifies DROP COLUMN plan")
    file.run(f"DROP TABLE {SCHEMA}.users")
    _load(file, 2, plan="b", city="Bonn")
    assert [row["plan"] for row in file.table("identifies")] == [None, "b"]
    assert [row["plan"] for row in file.table("users")] == ["b"]


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


def test_nothing_is_sent_and_no_file_is_left_at_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loader's own reports are off, and it writes below our directories only."""
    home = tmp_path / "home"
    home.mkdir()
    asked: list[object] = []

    def refuse(host: object, *_: object, **__: object) -> list[object]:
        asked.append(host)
        raise OSError

    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "true")
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    for number in range(2):
        _load(File(tmp_path), number, plan="a")
    assert asked == []
    assert list(home.iterdir()) == []
    assert {path.name for path in tmp_path.iterdir()} == {"home", "warehouse.duckdb"}
