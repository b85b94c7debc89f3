"""Regulations as people ask for them, on the whole server: command line, API, a death, files."""

import base64
import json
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner

from headwater.cli.privacy import privacy
from tests.support.server import Server, serving

PLANTED = "ann-4c1f0e77"
QUICK = {
    "HEADWATER_EGRESS__ALLOW": "127.0.0.0/8",
    "HEADWATER_FEDERATION__TIMEOUT_S": "0.5",
    "HEADWATER_PRIVACY__POLL_S": "0.1",
}
ROLES = ("--role", "tracking,web,federation,warehouse,privacy")


@pytest.mark.slow
def test_a_deleted_user_is_nowhere_though_the_server_is_killed_meanwhile(tmp_path: Path) -> None:
    """Asked on the command line, carried out by two lives; nothing brings the user back."""
    data, file = tmp_path / "data", tmp_path / "warehouse.duckdb"
    with serving(data, {**QUICK, "HEADWATER_CRASH_AT": "privacy.warehouse:1"}, *ROLES) as server:
        source = server.api("POST", "/api/v1/sources", {"type": "http-api", "name": "Shop"})
        _furnish(server, source, file)
        asked = _say(server, "delete", PLANTED, "--suppress", "--json")
        assert server.process.wait(20) != 0
    with serving(data, QUICK, *ROLES) as server:
        done = _until_over(server, asked["id"])
        assert {one["name"]: one["state"] for one in done["targets"]} == {
            "Messages": "done", "Tables": "done", "Nobody there": "not_supported",
        }  # fmt: skip
        _send(server, source, PLANTED, "bob")
        _load(server, backfill=True)
        assert [body["userId"] for body in _debugger(server, source)] == ["bob", "bob"]
        assert _say(server, "list", "--json") == [_say(server, "show", asked["id"], "--json")]
        assert len(_say(server, "suppressed", "--json")) == 1
        assert "not supported by Webhook" in _say(server, "show", asked["id"])
    with duckdb.connect(file, read_only=True) as connection:
        assert connection.sql("SELECT id FROM shop.users").fetchall() == [("bob",)]
    found = {path.relative_to(data).parts[0] for path in _files_with(data, PLANTED)}
    assert found == {"eventlog"}, "only the log has bytes of them, until they expire"


def _furnish(server: Server, source: dict[str, Any], file: Path) -> None:
    """Let messages wait for a destination that is away, and lie in a warehouse."""
    hook = {"type": "webhook", "source": source["slug"], "name": "Nobody there"}
    server.api("POST", "/api/v1/destinations", {**hook, "settings": {"url": "http://127.0.0.1:9/"}})
    settings = {"path": str(file)}
    warehouse = {"type": "duckdb", "name": "Tables", "settings": settings}
    server.api("POST", "/api/v1/warehouses", warehouse)
    _send(server, source, PLANTED, "bob")
    assert len(_debugger(server, source)) == 2
    _load(server)


def _send(server: Server, source: dict[str, Any], *user_ids: str) -> None:
    key = base64.b64encode(f"{source['write_key']}:".encode()).decode()
    for user_id in user_ids:
        body = {"userId": user_id, "traits": {"plan": "pro"}}
        reply = server.ask("POST", "/v1/identify", body, {"authorization": f"Basic {key}"})
        assert reply.status == 200


def _load(server: Server, *, backfill: bool = False) -> None:
    (warehouse,) = server.api("GET", "/api/v1/warehouses")["items"]
    place = f"/api/v1/warehouses/{warehouse['id']}"
    if backfill:
        server.api("POST", f"{place}/backfill", {})
    server.api("POST", f"{place}/sync")


def _debugger(server: Server, source: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.api("GET", f"/api/v1/sources/{source['slug']}/messages")[
        "messages"
    ]
    return found


def _say(server: Server, *args: str) -> Any:
    """Run a command in this process; return its JSON, or what people read."""
    done = CliRunner().invoke(privacy, [*args, "--data", str(server.data)])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout) if "--json" in args else " ".join(done.stdout.split())


def _until_over(server: Server, regulation_id: str) -> dict[str, Any]:
    end_s = time.monotonic() + 20
    while time.monotonic() < end_s:
        found: dict[str, Any] = server.api("GET", f"/api/v1/regulations/{regulation_id}")
        if found["finished_at"]:
            return found
        time.sleep(0.2)
    raise AssertionError("the regulation did not end")


def _files_with(folder: Path, text: str) -> list[Path]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if text.encode() in path.read_bytes()]
