"""What loads the clouds' warehouses is tried with DuckDB behind dlt, since no cloud can be had."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from headwater.base.errors import UnavailableError
from headwater.warehouse.catalog import CATALOG
from headwater.warehouse.engines.clouds import dlt_destination, open_it
from headwater.warehouse.erase import Erased, erase_from
from headwater.warehouse.settings import DuckDbSettings
from headwater.warehouse.types import Kind
from tests.rooms.warehouse import worked_example as example
from tests.rooms.warehouse.places import DuckDbPlace
from tests.rooms.warehouse.support import LOADED_AT, an_identify

HOUR = timedelta(hours=1)


class DltPlace(DuckDbPlace):
    """A DuckDB file, loaded by the engine of the clouds."""

    @contextmanager
    def open(self) -> Iterator[Any]:
        with open_it(self.settings, self.schema, self._folder, "") as engine:
            yield engine


@pytest.fixture
def place(tmp_path: Path) -> DltPlace:
    return DltPlace(DuckDbSettings(path=str(tmp_path / "w.duckdb")), "source", tmp_path)


def test_the_worked_example_and_nothing_sent_or_left(
    place: DltPlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same columns, types and values; dlt's reports are off, and it writes in our folder."""
    home = tmp_path / "home"
    home.mkdir()
    asked: list[object] = []

    def refuse(host: object, *_: object, **__: object) -> list[object]:
        asked.append(host)
        raise OSError

    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "true")
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    place.load(example.MESSAGE, loaded_at=example.LOADED)
    for table, columns in (("identifies", example.IDENTIFIES), ("users", example.USERS)):
        assert place.kinds(table) == {name: kind for name, (kind, _) in columns.items()}
        assert place.table(table) == [{name: value for name, (_, value) in columns.items()}]
    assert asked == []
    assert list(home.iterdir()) == []
    assert {path.name for path in tmp_path.iterdir()} == {"home", "w.duckdb"}


def test_users_widening_discards_and_forgetting(place: DltPlace) -> None:
    """As in the contract of all warehouses, in short."""
    place.load(an_identify("m1", "ann", LOADED_AT, plan="pro", score=1, seats=3))
    late = an_identify("m0", "ann", LOADED_AT - HOUR, plan="free", city="Bonn", score=1.5)
    place.load(late, an_identify("m2", "bob", LOADED_AT, seats="x"), loaded_at=LOADED_AT + HOUR)
    ann, bob = place.table("users")
    assert (ann["plan"], ann["city"], ann["score"], ann["seats"]) == ("pro", "Bonn", 1.0, 3)
    assert bob["id"] == "bob"
    assert place.kinds("users")["score"] is Kind.FLOAT
    assert [row["row_id"] for row in place.table("_discards")] == ["m2"]
    with place.open() as engine:
        assert engine.list_tables() == ["_discards", "identifies", "users"]
        assert erase_from(engine, ["ann"]) == Erased({"identifies": 2, "users": 1})
    assert [row["id"] for row in place.table("identifies")] == ["m2"]


def test_a_file_that_cannot_be_opened_is_a_matter_of_the_whole(place: DltPlace) -> None:
    """No table is blamed."""
    Path(place.settings.path).mkdir()
    with pytest.raises(UnavailableError, match="did not take the load"):
        place.load(an_identify("m1", "ann", LOADED_AT))


@pytest.mark.parametrize("entry", [entry for entry in CATALOG if not entry.tested])
def test_settings_make_a_destination_of_dlt(entry: Any) -> None:
    """Each cloud's settings are what dlt asks for; nothing is connected."""
    its = entry.shape(
        **{
            field.name: field.default or "x"
            for field in entry.fields
            if field.required or not field.default
        }
    )
    made = dlt_destination(its)
    assert made.destination_type.endswith(entry.type)
