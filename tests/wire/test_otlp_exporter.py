"""The promise to users of OpenTelemetry: SDK and exporter, unmodified, against a running server."""

import copy
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from headwater.collector import MARK
from tests.support.server import Server, serving

PROGRAM = Path(__file__).parent / "programs" / "otlp_service.py"


@cache
def began_ns() -> int:
    """Return a moment just before the first test: this file may be read long before it is run."""
    return (int(time.time()) - 60) * 1_000_000_000 + 123_456_000


WAYS = {
    "right endpoint": ("", "none"),
    "right endpoint, gzip": ("", "gzip"),
    "endpoint of the docs": ("/v1/traces", "gzip"),
    "behind a prefix": ("/collector", "none"),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A whole Headwater."""
    with serving(tmp_path_factory.mktemp("otlp")) as started:
        yield started


@pytest.fixture(scope="module", params=WAYS)
def app_id(server: Server, request: pytest.FixtureRequest) -> str:
    """An app that the program has told of its calls, one way or another."""
    end, compression = WAYS[request.param]
    app = server.cli("apps", "create", request.param)
    told = [server.url + end, app["collector_application_id"], compression, str(began_ns())]
    done = subprocess.run(
        [sys.executable, str(PROGRAM), *told],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []
    return str(app["app_id"])


@pytest.fixture(scope="module")
def calls(server: Server, app_id: str) -> dict[str, dict[str, Any]]:
    """The calls as they are stored, by verb and route."""
    server.settle()
    found = server.query(app_id, "events", limit=10)["events"]
    assert len(found) == 3
    return {f"{one['request']['verb']} {one['request']['route']}": one for one in found}


def moment(nanoseconds_later: int) -> str:
    """Return a time as the API writes it."""
    at = datetime.fromtimestamp((began_ns() + nanoseconds_later) // 1_000_000_000, UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S")


def test_a_server_span_is_stored_field_by_field(calls: dict[str, dict[str, Any]]) -> None:
    """By the new conventions: request, response, people, trace, and metadata that can be asked."""
    call = copy.deepcopy(calls["POST /v2/labels/{label_id}"])
    trace_id, span_id, _ = call["transaction_id"].split("-")
    sdk, received_at = call.pop("sdk"), call.pop("received_at")
    assert sdk.startswith("OTel-OTLP-Exporter-Python/")
    assert received_at > moment(0)
    assert call["metadata"].pop("telemetry")["sdk"]["language"] == "python"
    assert call["metadata"].pop("service")["name"] == "labels"
    assert call["request"].pop("time").startswith(moment(0) + ".123456")
    assert call == {
        "transaction_id": call["transaction_id"],
        "request": {
            "verb": "POST",
            "route": "/v2/labels/{label_id}",
            "uri": f"https://api.parcel.example:8443/v2/labels/7?dry=1&api_key={MARK}",
            "host": "api.parcel.example:8443",
            "ip_address": "203.0.113.7",
            "country": "",
            "api_version": "",
            "headers": {
                "content-type": "application/json",
                "authorization": MARK,
                "user-agent": "parcel-python/2.1.0",
            },
            "body": None,
            "transfer_encoding": "json",
            "bytes": 17,
        },
        "response": {
            "status": 422,
            "status_class": "4xx",
            "headers": {"x-page": "1, 2"},
            "body": None,
            "transfer_encoding": "json",
            "bytes": 0,
        },
        "client": {"name": "parcel-python", "version": "2.1.0", "kind": "sdk"},
        "user_id": "u-81",
        "company_id": "c-9",
        "anonymous_id": "",
        "direction": "Incoming",
        "blocked_by": "",
        "action_name": "",
        "trace_id": trace_id,
        "weight": 1,
        "flags": [],
        "duration_ms": 42.0,
        "session_token": "",
        "metadata": {
            "deployment": {"environment": "prod"},
            "order": {"total": 12.5, "note": {"password": MARK, "tags": ["a", "b"]}},
        },
        "extra": {
            "span": {
                "id": span_id,
                "name": "POST /v2/labels/{label_id}",
                "kind": "server",
                "status": 2,
                "status_message": "no such zip",
                "scope": "parcel.instrumentation/1.2",
            }
        },
    }


def test_a_client_span_is_an_outgoing_call_of_the_same_trace(
    calls: dict[str, dict[str, Any]],
) -> None:
    """By the old conventions, below its server span."""
    server, client = calls["POST /v2/labels/{label_id}"], calls["GET /codes"]
    assert (client["direction"], client["duration_ms"]) == ("Outgoing", 10.5)
    assert client["request"]["uri"] == "https://zip.example/codes?q=1"
    assert (client["response"]["status"], client["request"]["ip_address"]) == (200, "")
    assert client["trace_id"] == server["trace_id"]
    assert client["extra"]["span"]["parent_id"] == server["extra"]["span"]["id"]
    assert client["metadata"]["net"] == {"peer": {"name": "zip.example", "port": 443}}


def test_a_log_record_is_a_call_unless_its_span_told_of_it(
    calls: dict[str, dict[str, Any]],
) -> None:
    """Of three log records one is a call that no span told of."""
    call = calls["GET /health"]
    assert (call["response"]["status"], call["request"]["ip_address"]) == (204, "203.0.113.8")
    assert call["request"]["time"].startswith(moment(5_000_000))
    assert call["metadata"]["log"] == {"severity": "INFO", "body": f"GET /health token={MARK}"}
    assert call["metadata"]["service"]["name"] == "labels"
    assert call["extra"] == {"span": {"scope": "parcel.access"}}


def test_what_could_not_be_understood_is_kept_with_its_reason(
    server: Server, app_id: str, calls: dict[str, dict[str, Any]]
) -> None:
    """The span without a path; databases and inner spans are nobody's fault."""
    assert calls
    (reject,) = server.api("GET", f"/api/v1/apps/{app_id}/rejects")["items"]
    assert (reject["kind"], reject["reason"]) == ("span", "This is required.")
    assert reject["field"].endswith(".attributes.url.path")
    assert "no path" in reject["sample"]


def test_no_planted_secret_is_written_down(
    server: Server, calls: dict[str, dict[str, Any]]
) -> None:
    """Neither in the log nor in the store."""
    assert calls
    files = [path for path in server.data.rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if path.exists() and b"planted-" in path.read_bytes()] == []
