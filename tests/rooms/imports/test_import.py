"""`headwater import` against a real server: whole, once, and on from where it broke off."""

import gzip
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from headwater.collector import MARK
from tests.support.eventually import eventually
from tests.support.server import Server, environment, headwater, run_cli, serving

DEATHS = ("collector.before_answer:2", "ingest.pending:1", "ingest.inserted:1")
"""Durable and not said so; begun and not stored; stored and not written down."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for the folder; each test has an app of its own."""
    with serving(tmp_path_factory.mktemp("imports")) as running:
        yield running


@pytest.fixture
def app_id(server: Server, request: pytest.FixtureRequest) -> str:
    """A new app."""
    return str(server.cli("apps", "create", request.node.name)["app_id"])


def access_lines(count: int, first: int = 0) -> list[str]:
    """Return distinct lines of 2015, every tenth of them a 404, each path twice."""
    return [
        f"198.51.100.{i % 250} - user{i % 7} "
        f"[17/May/2015:{i // 3600 % 24:02}:{i // 60 % 60:02}:{i % 60:02} +0000] "
        f'"GET /files/{i // 2} HTTP/1.1" {404 if i % 10 == 0 else 200} {100 + i} "-" "curl/8"'
        for i in range(first, first + count)
    ]


def stored(server: Server, app_id: str) -> int:
    return int(server.query(app_id, "count", from_="2015-01-01", to="2027-01-01")["count"])


def test_a_log_is_imported_whole_and_once(server: Server, app_id: str, tmp_path: Path) -> None:
    """Identical lines count each; the second import adds nothing and says so."""
    lines = access_lines(2_500)
    file = tmp_path / "access.log.gz"
    file.write_bytes(gzip.compress("\n".join([*lines, lines[0], "", "not a line"]).encode()))
    first = server.cli("import", str(file), "--app", app_id)
    assert {name: first[name] for name in ("lines", "imported", "already_stored", "rejected")} == {
        "lines": 2_502, "imported": 2_501, "already_stored": 0, "rejected": 1,
    }  # fmt: skip
    assert list(first["reject_reasons"].values()) == [1]
    assert first["rejects"][0] | {"reason": ""} == {
        "file": str(file), "line": 2_502, "reason": "", "sample": "not a line",
    }  # fmt: skip
    assert stored(server, app_id) == 2_501

    second = server.cli("import", str(file), "--app", app_id)
    assert (second["imported"], second["already_stored"]) == (0, 2_501)
    assert stored(server, app_id) == 2_501


def test_a_longer_log_adds_only_what_is_new(server: Server, app_id: str, tmp_path: Path) -> None:
    """Logs grow: importing the file every night is fine."""
    file = tmp_path / "access.log"
    file.write_text("\n".join(access_lines(50)))
    assert server.cli("import", str(file), "--app", app_id)["imported"] == 50
    file.write_text("\n".join(access_lines(80)))
    assert server.cli("import", str(file), "--app", app_id)["imported"] == 30


def test_events_come_from_standard_input(server: Server, app_id: str) -> None:
    """Lines of JSON, one of them bad; the user is taken from a field."""
    request = {"time": "2026-11-20T10:00:00Z", "uri": "/v2/labels", "verb": "POST"}
    events = [{"request": request, "metadata": {"login": f"u{i}"}} for i in range(3)]
    text = "\n".join([*map(json.dumps, events), '{"request": {}}'])
    result = server.cli("import", "-", "--app", app_id, "--user-from", "metadata.login", stdin=text)
    assert (result["imported"], result["rejected"]) == (3, 1)
    assert result["reject_reasons"] == {"$.request: This is required.": 1}
    found = server.query(app_id, "events", from_="2026-11-01", to="2026-11-30")["events"]
    assert {call["user_id"] for call in found} == {"u0", "u1", "u2"}


def test_a_killed_import_goes_on_where_it_was(server: Server, app_id: str, tmp_path: Path) -> None:
    """kill -9 in the middle: the next run sends the rest, and nothing is there twice."""
    file = tmp_path / "access.log"
    file.write_text("\n".join(access_lines(6_000)))
    before = server.api("GET", "/api/v1/status")["streams"]["calls"]["last_offset"]
    command = headwater("import", str(file), "--app", app_id, "--data", str(server.data))
    with subprocess.Popen(command, env=environment(), stderr=subprocess.DEVNULL) as process:
        eventually(
            lambda: server.api("GET", "/api/v1/status")["streams"]["calls"]["last_offset"] > before
        )
        process.send_signal(signal.SIGKILL)
    result = server.cli("import", str(file), "--app", app_id)
    assert result["imported"] + result["already_stored"] == 6_000
    assert result["imported"] < 6_000
    assert stored(server, app_id) == 6_000


@pytest.mark.slow
def test_a_killed_server_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """It dies on the way of a table, once at each point; the import is repeated."""
    file, data = tmp_path / "access.log", tmp_path / "data"
    file.write_text("\n".join(access_lines(30_000)))
    app_id = str(run_cli(data, "apps", "list")[0]["app_id"])
    command = headwater("import", str(file), "--app", app_id, "--data", str(data))
    for point in DEATHS:
        env = environment({"HEADWATER_CRASH_AT": point})
        assert subprocess.run(command, env=env, capture_output=True, check=False).returncode == 137
    with serving(data) as server:
        result = server.cli("import", str(file), "--app", app_id)
        assert result["imported"] + result["already_stored"] == 30_000
        assert stored(server, app_id) == 30_000
        series = server.query(
            app_id, "timeseries", from_="2015-05-01", to="2015-06-01", interval="month"
        )["series"]
        assert sum(line["total"] for line in series) == 30_000


@contextmanager
def following(server: Server, app_id: str, log: Path) -> Iterator[subprocess.Popen[str]]:
    """Run `headwater import --follow` for a block, at most."""
    command = headwater(
        "import", str(log), "--app", app_id, "--data", str(server.data), "--json", "--follow"
    )
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_log_is_followed_until_it_is_enough(server: Server, app_id: str, tmp_path: Path) -> None:
    """Lines that come later, in a file that is replaced, and a clean end with a summary."""
    log = tmp_path / "access.log"
    log.write_text("\n".join([*access_lines(10), ""]))
    with following(server, app_id, log) as process:
        eventually(lambda: stored(server, app_id) == 10, within_s=90)
        with log.open("a") as file:
            file.write("\n".join([*access_lines(5, first=10), "not a line", ""]))
        eventually(lambda: stored(server, app_id) == 15, within_s=90)
        log.rename(tmp_path / "access.log.1")
        log.write_text("\n".join([*access_lines(5, first=15), "half a li"]))
        eventually(lambda: stored(server, app_id) == 20, within_s=90)
        process.send_signal(signal.SIGINT)
        told, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    result = json.loads(told)
    assert (result["imported"], result["rejected"]) == (20, 1)
    again = server.cli("import", f"{log}.1", str(log), "--app", app_id)
    assert (again["imported"], again["already_stored"]) == (0, 20)


def test_one_broken_file_costs_no_other(server: Server, app_id: str, tmp_path: Path) -> None:
    """A list that breaks off gives what stands before; the files behind it are read."""
    event = {"request": {"time": "2026-11-20T10:00:00Z", "uri": "/a", "verb": "GET"}}
    events = [{**event, "transaction_id": f"t{n}"} for n in range(3)]
    (tmp_path / "a.json").write_text(json.dumps(events)[:-20])
    (tmp_path / "b.json").write_text("words\nwithout meaning\n")
    (tmp_path / "c.log").write_text("\n".join(access_lines(4)))
    done = run_cli(
        server.data, "import", str(tmp_path / "*.json"), str(tmp_path / "c.log"), "--app", app_id,
        ok=False,
    )  # fmt: skip
    result = json.loads(done.stdout)
    assert done.returncode == 1
    assert (result["imported"], result["rejected"]) == (6, 1)
    assert list(result["broken"]) == [str(tmp_path / "a.json"), str(tmp_path / "b.json")]
    assert "item 3, character" in result["rejects"][0]["reason"]
    assert stored(server, app_id) == 6


def test_directories_and_missing_files_are_told_apart(
    server: Server, app_id: str, tmp_path: Path
) -> None:
    """Before anything is sent, with what to do."""
    for path, reason in ((tmp_path, "is a directory"), (tmp_path / "no.log", "There is no file")):
        done = run_cli(server.data, "import", str(path), "--app", app_id, ok=False)
        assert done.returncode == 1
        assert reason in done.stderr


def test_a_dry_run_sends_nothing(server: Server, app_id: str, tmp_path: Path) -> None:
    """It counts, shows the first events without their secrets, and writes rejects down."""
    file, rejects = tmp_path / "access.log", tmp_path / "rejects.jsonl"
    secret, *others = access_lines(5)
    secret = secret.replace("/files/0", "/files/0?token=planted")
    file.write_text("\n".join([secret, *others, "password=planted"]))
    options = ("--app", app_id, "--rejects", str(rejects))
    result = server.cli("import", str(file), *options, "--dry-run")
    assert (result["lines"], result["imported"], result["rejected"]) == (6, 0, 1)
    assert [event["request"]["uri"] for event in result["first_events"]] == [
        f"/files/0?token={MARK}", "/files/0", "/files/1",
    ]  # fmt: skip
    (bad,) = map(json.loads, rejects.read_text().splitlines())
    assert (bad["file"], bad["line"]) == (str(file), 6)
    assert bad["reason"]
    assert "planted" not in bad["sample"]
    assert "planted" not in json.dumps(result)
    assert stored(server, app_id) == 0


def test_a_broken_file_is_imported_as_far_as_it_goes(
    server: Server, app_id: str, tmp_path: Path
) -> None:
    """A download that broke off: the exit code says so, and the whole file goes on from there."""
    whole = gzip.compress("\n".join(access_lines(3_000)).encode())
    file = tmp_path / "access.log.gz"
    # The first member is whole, the second broken.
    file.write_bytes(whole + gzip.compress("\n".join(access_lines(9, first=3_000)).encode())[:-9])
    done = run_cli(server.data, "import", str(file), "--app", app_id, ok=False)
    assert done.returncode == 1
    assert "cannot be read to its end" in done.stdout
    assert stored(server, app_id) > 0


def test_an_unknown_app_is_an_error(server: Server, tmp_path: Path) -> None:
    """Before anything is sent."""
    file = tmp_path / "access.log"
    file.write_text(access_lines(1)[0])
    done = run_cli(server.data, "import", str(file), "--app", "app_nope", ok=False)
    assert done.returncode == 1
    assert "There is no app 'app_nope'" in done.stderr


@pytest.mark.slow
def test_without_a_server_one_is_started_for_the_import(tmp_path: Path) -> None:
    """A newcomer imports first and looks later; the second import still adds nothing."""
    file = tmp_path / "access.log"
    file.write_text("\n".join(access_lines(20)))
    data = tmp_path / "data"
    app_id = run_cli(data, "apps", "list")[0]["app_id"]
    imported = [run_cli(data, "import", str(file), "--app", app_id)["imported"] for _ in range(2)]
    assert imported == [20, 0]


def test_a_real_log_is_imported_whole(server: Server, app_id: str) -> None:
    """10,000 lines of a public web server, hostile ones among them: none rejected, none twice."""
    path = os.environ.get("SAMPLE_ACCESS_LOG", "")
    if not path:
        pytest.skip("SAMPLE_ACCESS_LOG names no log; CONTRIBUTING.md says which one is meant")

    first = server.cli("import", path, "--app", app_id)
    second = server.cli("import", path, "--app", app_id)

    assert (first["lines"], first["imported"], first["rejected"]) == (10_000, 10_000, 0)
    assert (second["imported"], second["already_stored"]) == (0, 10_000)
    series = server.query(
        app_id, "timeseries", from_="2015-05-01", to="2015-06-01", interval="month",
        group_by=["response.status"], top=20,
    )["series"]  # fmt: skip
    assert {line["key"][0]: line["total"] for line in series} == {
        "200": 9_126, "304": 445, "404": 213, "301": 164, "206": 45, "500": 3, "403": 2, "416": 2,
    }  # fmt: skip
