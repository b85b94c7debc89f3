"""No secret stays: every rule of masking, through every door, looked for on the disk.

A security team turns debug output on, sends every secret that the rules speak of through every
endpoint, in items that are good, bad, broken and too large, imports them from files, and then
searches all that Headwater has written: the log, the store, dead letters, the configuration, its
output, and what commands said. For one app it decides more: addresses and names of its own.
"""

import base64
import gzip
import json
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pytest

from headwater.eventlog.packing import pack
from tests.support.eventually import eventually
from tests.support.leaks import leaks_in
from tests.support.planting import (
    EXPORT_REJECTED,
    EXPORT_UNREAD,
    EXPORTED,
    IMPORT_REJECTED,
    IMPORTED,
    KEPT,
    REJECTED,
    Send,
    planted,
    send_broken,
    send_calls,
    send_exports,
    send_others,
    send_personal,
    write_logs,
)
from tests.support.server import Server, run_cli, serving

SETTINGS = {"HEADWATER_COLLECTOR__MAX_EVENT_BYTES": "20000"}
DECIDED = {"emails": True, "ip_addresses": True, "mask": ["ssn"], "fingerprint": ["tenant"]}
"""What the team decides for one of its apps, on top of what holds for all."""
PERSONAL = (
    "ana.qx7@parcel.example", "203.0.113.77", "2001:db8:77:8841::9", "Qx7ssn-078-05", "Qx7tenant-4",
)  # fmt: skip


NETWORKS = ("203.0.113.0", "2001:db8:77::")
"""What is kept of its addresses."""


def _sender(server: Server, key: str) -> Send:
    def send(path: str, body: Any, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        form = {"x-moesif-application-id": key, "content-type": "application/json"}
        answer = server.ask("POST", path, raw, {**form, **headers})
        assert answer.status < 500, (path, answer.data)

    return send


def _import(server: Server, app_id: str, files: Iterable[Path]) -> None:
    """Import files, and keep what the command said and wrote down beside the server's data."""
    for file in files:
        rejects, said = (server.data / f"{file.name}.{kind}" for kind in ("rejects", "said"))
        options = ("--app", app_id, "--rejects", str(rejects))
        done = run_cli(server.data, "import", str(file), *options, ok=False)
        said.write_text(done.stdout + done.stderr)
        assert json.loads(done.stdout)["imported"] > 0, done.stderr


def _decide(server: Server) -> Send:
    """Make an app with a policy of its own; return a way to send to it once the policy holds."""
    app = server.cli("apps", "create", "personal")
    server.api("PUT", f"/api/v1/apps/{app['app_id']}/masking", DECIDED)
    send = _sender(server, app["collector_application_id"])

    def holds() -> bool:
        event = {"request": {"verb": "GET", "uri": "/a?ssn=nobody"}, "response": {}}
        send("/v1/events", event)
        server.settle()
        (newest,) = server.query(app["app_id"], "events", limit=1)["events"]
        return "nobody" not in newest["request"]["uri"]

    eventually(holds, within_s=20)
    return send


@pytest.fixture(scope="module")
def planted_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory after all that, its server ended."""
    data, elsewhere = tmp_path_factory.mktemp("no-secret"), tmp_path_factory.mktemp("logs")
    with serving(data, SETTINGS, "--log-level", "debug") as server:
        app = server.cli("apps", "list")[0]
        send = _sender(server, app["collector_application_id"])
        send_calls(send)
        send_broken(send)
        send_others(send)
        send_exports(send)
        send_personal(_decide(server), PERSONAL)
        _import(server, app["app_id"], write_logs(elsewhere))
        server.settle(within_s=120)
        assert server.process.stdout is not None
        server.stop()
        (data / "stdout.log").write_text(server.process.stdout.read())
    return data


def test_the_search_finds_what_is_there(planted_data: Path) -> None:
    """A check that cannot fail is none: plain words of each door are found where they must be."""
    doors = (KEPT, REJECTED, EXPORTED, EXPORT_REJECTED, EXPORT_UNREAD, IMPORTED)
    stored = (*doors, *NETWORKS)
    found = leaks_in(planted_data, [*stored, IMPORT_REJECTED])
    folders = {word: {file.split("/")[0] for file in files} for word, files in found.items()}
    for word in stored:
        assert {"eventlog", "eventstore"} <= folders[word], found
    files = {"plain.log.rejects", "plain.log.said", "archive.har.rejects", "archive.har.said"}
    assert files <= folders[IMPORT_REJECTED], found


def test_a_secret_in_any_wrapping_would_be_found(tmp_path: Path) -> None:
    """In plain text, in a URI, in base64 at each of its three offsets, and packed."""
    secret = "5555 5555 5555 4444"
    for number, text in enumerate((secret, secret.replace(" ", "%20"))):
        (tmp_path / f"plain{number}").write_text(f"a{text}b")
    for shift in range(3):
        packed = base64.b64encode(b"x" * shift + secret.encode() + b"yy")
        (tmp_path / f"packed{shift}").write_bytes(packed)
    filler = b"filler " * 300
    plain = filler + secret.encode() + filler
    (tmp_path / "zstd").write_bytes(b"head" + pack(plain))
    (tmp_path / "gzip").write_bytes(b"head" + gzip.compress(plain))
    block = bytes(pa.Codec("lz4_raw").compress(plain, asbytes=True))
    (tmp_path / "lz4").write_bytes(
        b"head" + struct.pack("<BII", 0x82, len(block) + 9, len(plain)) + block
    )
    names = {"plain0", "plain1", "packed0", "packed1", "packed2", "zstd", "gzip", "lz4"}
    assert leaks_in(tmp_path, [secret]) == {secret: names}


def test_no_secret_is_anywhere_on_the_disk(planted_data: Path) -> None:
    """Not in the log, the store, the rejects, the configuration, or what was said on the way."""
    assert "server_draining" in (planted_data / "stderr.log").read_text()
    secrets = {secret for _, _, secret in planted()}
    assert leaks_in(planted_data, [*secrets, "Qx7-planted-zz", *PERSONAL]) == {}


def test_what_an_app_decides_holds_within_seconds(tmp_path: Path) -> None:
    """A name that was nothing special is masked in the calls that follow the decision."""
    with serving(tmp_path) as server:
        (app,) = server.cli("apps", "list")
        path = f"/api/v1/apps/{app['app_id']}/masking"
        key = {"x-moesif-application-id": app["collector_application_id"]}
        event = {"request": {"verb": "GET", "uri": "/a?ssn=078-05-1120"}, "response": {}}

        def kept() -> str:
            assert server.ask("POST", "/v1/events", event, key).status == 201
            server.settle()
            (newest,) = server.query(app["app_id"], "events", limit=1)["events"]
            return str(newest["request"]["uri"])

        assert "078-05-1120" in kept()
        server.api("PUT", path, {"mask": ["ssn"]})
        eventually(lambda: "ssn=*masked*" in kept(), within_s=20)
