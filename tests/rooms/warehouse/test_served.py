"""Every command of `headwater warehouses`, against one server that runs."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from headwater.cli import headwater
from tests.support.server import Server, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with one source and a message of it."""
    with serving(tmp_path_factory.mktemp("served")) as running:
        _ask(running, "sources", "add", "--type", "http-api", "--name", "Shop")
        _identify(running, "m1")
        yield running


def _identify(server: Server, message_id: str) -> None:
    key = _ask(server, "sources", "list")[-1]["write_key"]
    body = {"userId": "ann", "messageId": message_id, "traits": {"plan": "pro"}, "writeKey": key}
    assert server.ask("POST", "/v1/identify", body).status == 200


def _run(server: Server, *arguments: str) -> Result:
    return CliRunner().invoke(headwater, [*arguments, "--data", str(server.data), "--json"])


def _ask(server: Server, *arguments: str) -> Any:
    done = _run(server, *arguments)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def _add(server: Server, path: Path, *more: str) -> str:
    setting = f"path={path}"
    added = _ask(server, "warehouses", "add", "--type", "duckdb", "--set", setting, *more)
    return str(added["id"])


def test_every_command_of_a_warehouse(server: Server, tmp_path: Path) -> None:
    """Added, listed, shown, changed, synced, backfilled, looked into, removed."""
    id_ = _add(server, tmp_path / "w.duckdb", "--source", "shop", "--name", "Main")
    listed = {one["id"]: one for one in _ask(server, "warehouses", "list")}
    assert (listed[id_]["name"], listed[id_]["source"]) == ("Main", "shop")
    changed = _ask(
        server, "warehouses", "set", id_, "--pause", "--schedule", "hourly",
        "--exclude", "shop.identifies.phone",
    )  # fmt: skip
    assert (changed["enabled"], changed["schedule"]) == (False, "hourly")
    synced = _ask(server, "warehouses", "sync", id_)
    (newest, *_) = _ask(server, "warehouses", "history", id_, "--limit", "1")
    assert newest == synced
    assert set(_ask(server, "warehouses", "tables", id_)["shop"]) == {"identifies", "users"}
    assert _ask(server, "warehouses", "backfill", id_)["warehouse_id"] == id_
    shown = _ask(server, "warehouses", "show", id_)
    assert shown["warehouse"]["excluded"] == ["shop.identifies.phone"]
    _ask(server, "warehouses", "set", id_, "--include-all", "--resume")
    assert _ask(server, "warehouses", "show", id_)["warehouse"]["excluded"] == []
    assert _run(server, "warehouses", "remove", id_).exit_code == 0
    assert id_ not in {one["id"] for one in _ask(server, "warehouses", "list")}


def test_a_relative_path_is_where_the_command_runs(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server may run elsewhere."""
    monkeypatch.chdir(tmp_path)
    added = _ask(server, "warehouses", "add", "--type", "duckdb", "--set", "path=x.duckdb")
    assert added["settings"] == {"path": str(tmp_path / "x.duckdb")}


def test_people_read_tables(server: Server, tmp_path: Path) -> None:
    """Without `--json` each command that shows something writes for people."""
    id_ = _add(server, tmp_path / "w.duckdb")
    said = {}
    for command in (["list"], ["show", id_], ["sync", id_], ["history", id_], ["tables", id_]):
        arguments = ["warehouses", *command, "--data", str(server.data)]
        done = CliRunner().invoke(headwater, arguments)
        assert done.exit_code == 0, done.output
        said[command[0]] = done.stdout
    assert "duckdb" in said["list"]
    assert "failures in a row" in said["show"]
    assert "started (UTC)" in said["history"]
    assert "shop.users" in said["tables"]


def test_the_status_tells_of_a_warehouse_that_fails(server: Server, tmp_path: Path) -> None:
    """By a clear word and its reason: on the command line, in the API, on the health page."""
    id_ = _add(server, tmp_path / "w.duckdb", "--name", "Sick")
    _ask(server, "warehouses", "set", id_, "--pause")
    _ask(server, "warehouses", "sync", id_)
    (tmp_path / "w.duckdb").unlink()
    (tmp_path / "w.duckdb").mkdir()
    _identify(server, "of the sick")
    assert _run(server, "warehouses", "sync", id_).exit_code == 1
    _ask(server, "warehouses", "set", id_, "--resume")
    (sick,) = [one for one in _ask(server, "status")["warehouses"] if one["id"] == id_]
    assert (sick["name"], sick["state"], sick["failures"] > 0) == ("Sick", "failing", True)
    assert "Is a directory" in sick["error"]
    shown = CliRunner().invoke(headwater, ["status", "--data", str(server.data)])
    assert "warehouse Sick" in shown.stdout
    assert "failing" in shown.stdout
    headers = {"authorization": f"Bearer {server.card()['token']}", "accept": "text/html"}
    page = server.ask("GET", "/health", headers=headers).data.decode()
    assert f'href="/warehouses/{id_}"' in page
    assert _run(server, "warehouses", "remove", id_).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--type", "postgres", "--set", "host=127.0.0.1", "--set", "port=1",
          "--set", "database=d", "--set", "user=u"], "PostgreSQL"),
        (["--type", "postgres", "--set", "host=127.0.0.1"], "(at settings.database)"),
        (["--type", "duckdb", "--set", "file=x"], "(at settings.file)"),
        (["--type", "duckdb", "--set", "path"], "(at set)"),
        (["--type", "duckdb", "--set", "path=/no/such/w.duckdb"], "(at settings.path)"),
        (["--type", "duckdb", "--source", "nothing"], "nothing"),
    ],
)  # fmt: skip
def test_what_lets_nobody_in_is_not_added(server: Server, arguments: list[str], said: str) -> None:
    """As by the API and the page: it is tried first; the field is named; exit code 1."""
    before = _ask(server, "warehouses", "list")
    done = _run(server, "warehouses", "add", *arguments)
    assert done.exit_code == 1
    assert said in done.stderr
    assert _ask(server, "warehouses", "list") == before


def test_history_comes_in_pages(server: Server, tmp_path: Path) -> None:
    """Newest first, each once, by the cursor of the page before; a strange cursor is refused."""
    id_ = _add(server, tmp_path / "w.duckdb")
    _ask(server, "warehouses", "set", id_, "--pause")
    for _ in range(5):
        _ask(server, "warehouses", "sync", id_)
    path = f"/api/v1/warehouses/{id_}/syncs"
    whole = [one["id"] for one in server.api("GET", path)["items"]]
    assert len(whole) >= 5
    paged: list[str] = []
    cursor = ""
    for _ in range(len(whole)):
        page = server.api("GET", f"{path}?limit=2&cursor={cursor}")
        assert len(page["items"]) <= 2
        paged += [one["id"] for one in page["items"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert paged == whole
    headers = {"authorization": f"Bearer {server.card()['token']}"}
    for query in ("cursor=sync_none", "limit=0"):
        assert server.ask("GET", f"{path}?{query}", headers=headers).status == 400
