"""Destinations and cohorts from the command line, against a running server."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from headwater.cli import headwater as root
from tests.support.server import Server, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("data")) as running:
        call(running, "sources", "add", "--type", "http-api", "--name", "Shop")
        yield running


def run(server: Server, *arguments: str, code: int = 0) -> Any:
    """Run a command under `headwater destinations`; return its JSON, or its words on failure."""
    return call(server, "destinations", *arguments, code=code)


def call(server: Server, *arguments: str, code: int = 0) -> Any:
    given = [*arguments, "--data", str(server.data), "--json"]
    done = CliRunner().invoke(root, given)
    assert done.exit_code == code, done.output
    return json.loads(done.stdout) if done.stdout.startswith(("{", "[")) else done.output


def test_a_destination_is_changed_tried_and_removed(server: Server, tmp_path: Path) -> None:
    """The whole life of one; files of JSON for filters, mappings and messages."""
    folder, file = tmp_path / "out", tmp_path / "file.json"
    folder.mkdir()
    where = f"location={folder}"
    made = run(server, "add", "--type", "filesystem", "--source", "shop", "--set", where)
    one = made["id"]
    file.write_text('[{"kind": "block", "fields": ["context"]}]')
    changed = run(
        server, "change", one, "--name", "Raw", "--set", "compression=none", "--keep-order",
        "--filters", str(file),
    )  # fmt: skip
    assert (changed["name"], changed["keeps_order"]) == ("Raw", True)
    assert changed["settings"]["compression"] == "none"
    assert run(server, "show", one) == changed
    file.write_text('{"action": "store", "fields": {"row": {"kind": "path", "path": "traits"}}}')
    tried = run(server, "test-mapping", one, str(file), "--type", "group")
    assert tried["fields"]["row"]["name"] == "Test Company"
    file.write_text('{"type": "track", "event": "Ordered", "userId": "u-1"}')
    assert run(server, "test", one, "--message", str(file))["delivered"]
    (written,) = [path for path in folder.rglob("*.jsonl") if path.is_file()]
    assert json.loads(written.read_text())["event"] == "Ordered"
    assert run(server, "remove", one, "--yes") == {"id": one, "removed": True}
    assert "There is no destination" in str(run(server, "show", one, code=1))


def test_a_secret_is_rotated_and_kept_by_other_changes(server: Server) -> None:
    """What is shown masked is never saved as a secret; a wrong file changes nothing."""
    url = "url=https://hooks.example.com/in"
    made = run(server, "add", "--type", "webhook", "--source", "shop", "--set", url)
    secret = run(server, "rotate-secret", made["id"])["secret"]
    assert secret != made["secret"]
    changed = run(server, "change", made["id"], "--set", "batch_size=7")
    assert changed["settings"]["secret"] == f"••••{secret[-4:]}"
    assert changed["settings"]["batch_size"] == "7"
    failed = run(server, "test", made["id"], "--message", __file__, code=1)
    assert "is not JSON" in str(failed)


def test_what_was_received_is_replayed(server: Server) -> None:
    """All of a range, or dead letters; what makes no sense is told, and the list says how far."""
    url = "url=https://hooks.example.com/in"
    id_ = run(server, "add", "--type", "webhook", "--source", "shop", "--set", url)["id"]
    assert run(server, "replays", id_) == []
    assert run(server, "replay", id_)["replayed"] == 0
    assert "from when" in str(run(server, "replay", id_, "--all", code=1))
    assert "Types choose" in str(run(server, "replay", id_, "--type", "track", code=1))
    begun = run(server, "replay", id_, "--all", "--from", "2026-11-20", "--type", "track")
    assert begun["types"] == ["track"]
    assert run(server, "cancel-replay", id_, begun["id"])["state"] in {"cancelled", "done"}
    assert [one["id"] for one in run(server, "replays", id_)] == [begun["id"]]


def test_a_cohort_is_kept_sent_and_forgotten(server: Server) -> None:
    """By id or name, whatever the name holds; not forgotten while an extension sends it."""
    (app,) = call(server, "apps", "list")
    in_app = ("--app", app["app_id"])
    made = call(server, "cohorts", "create", "A b/c", *in_app, "--where", "id is ann")
    call(server, "cohorts", "change", made["id"], *in_app, "--name", "Ann")
    segment = ("extensions", "segment")
    call(server, *segment, "connect", *in_app, "--no-check", "--partner-key", "wk" * 16)
    status = call(server, *segment, "choose", *in_app, "--cohort", "Ann")
    assert (status["cohort"], status["audience"]) == ("Ann", made["conditions"])
    assert call(server, "cohorts", "members", "Ann", *in_app, "--count") == {"members": 0}
    assert call(server, "cohorts", "members", "Ann", *in_app)["items"] == []
    assert "segment" in call(server, "cohorts", "delete", "Ann", *in_app, code=1)
    call(server, *segment, "choose", *in_app)
    assert call(server, "cohorts", "delete", "Ann", *in_app) == {"deleted": "Ann"}
    assert call(server, "cohorts", "list", *in_app) == []
