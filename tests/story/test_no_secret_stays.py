"""No secret stays: every rule of masking, through every door, looked for on the disk.

A security team turns debug output on, sends every secret that the rules speak of through every
endpoint, in items that are good, bad, broken and too large, and then searches all that Headwater
has written: the log, the store, dead letters, the configuration, its output.
"""

import base64
import gzip
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pytest

from headwater.eventlog.packing import pack
from tests.support.eventually import eventually
from tests.support.leaks import leaks_in
from tests.support.server import Server, serving
from tests.unit.collector.mask_places import PLACES
from tests.unit.collector.mask_vectors import BROKEN, NAMED, SHAPED

KEPT = "kept-on-purpose-8841"
"""No secret by any rule: it must be found, or the search finds nothing."""
REJECTED = "rejected-on-purpose-8842"
SETTINGS = {"HEADWATER_COLLECTOR__MAX_EVENT_BYTES": "20000"}


class Planted(NamedTuple):
    """What was sent and must not be found, and what must."""

    data: Path
    secrets: list[str]


def _planted() -> Iterator[tuple[str, str, str]]:
    """Return name, value and secret of every vector; each secret is its own."""
    number = 0
    for _, names in NAMED:
        for name in names:
            number += 1
            yield name, f"Qx7planted{number:04}", f"Qx7planted{number:04}"
    for _, text, secret, _ in SHAPED:
        yield "note", text, secret


def _texts() -> Iterator[tuple[str, str]]:
    """Return every vector in every place, with the label of the place."""
    for name, value, _ in _planted():
        for place in PLACES:
            if place.names(name):
                yield place.label, place.put(name, value)


def _event(label: str, text: str) -> dict[str, Any]:
    """Return a call that holds a text where its place is."""
    request: dict[str, Any] = {"verb": "POST", "uri": "/v1/orders", "headers": {}}
    response: dict[str, Any] = {"status": 200, "headers": {}}
    event: dict[str, Any] = {"request": request, "response": response, "user_id": KEPT}
    if label == "header":
        name, _, value = text.partition(": ")
        request["headers"] = response["headers"] = {name: value}
    elif text.startswith("/a"):
        request["uri"] = f"https://api.example{text}"
        request["headers"] = {"Referer": f"https://api.example{text}"}
    elif label in {"form", "multipart", "JSON in base64"}:
        packed = base64.b64encode(text.encode()).decode()
        request |= {"body": packed, "transfer_encoding": "base64"}
        response |= {"body": text}
    else:
        request["body"] = response["body"] = event["metadata"] = json.loads(text)
        event["from_tomorrow"] = {"unknown": json.loads(text)}
    return event


def _spoil(event: dict[str, Any]) -> list[dict[str, Any]]:
    """Return items that are no good, each for another reason."""
    return [
        {**event, "request": {**event["request"], "uri": None}},
        {**event, "response": {**event["response"], "status": "many"}},
        {**event, "metadata": event, "request": 7},
    ]


def _send_calls(server: Server, send: Any) -> None:
    events = [_event(label, text) for label, text in _texts()]
    for start in range(0, len(events), 100):
        send("/v1/events/batch", events[start : start + 100])
    for event in events[::7]:
        send("/v1/events", event)
    spoilt = [bad for event in events[::3] for bad in _spoil(event)]
    for start in range(0, len(spoilt), 100):
        send("/v1/events/batch", spoilt[start : start + 100])
    send("/v1/events", {"why": REJECTED, **_spoil(events[0])[0]})
    for event in events[::11]:
        filler = {"filler": "x" * 30_000}
        body = {"first": event["request"].get("body"), **filler}
        send("/v1/events", {**event, "request": {**event["request"], "body": body}})


def _send_broken(send: Any) -> None:
    """Send what is no JSON: cut short, never any, and packed badly."""
    for text in BROKEN:
        send("/v1/events", text.encode())
        send("/v1/events/batch", b'[{"request": {"uri": "/a", ' + text.encode())
        send("/v1/users/batch", b'[{"user_id": "u1"}, ' + text.encode() + b"]")
        send("/v1/events", text.encode(), {"content-encoding": "gzip"})
    for label, text in _texts():
        whole = json.dumps([_event(label, text)]).encode()
        send("/v1/events/batch", whole[: len(whole) * 3 // 4])


def _send_others(send: Any) -> None:
    """Send actions, profiles, spans and log records."""
    documents = [json.loads(text) for label, text in _texts() if label in {"member", "depth"}]
    for kind, ids in (
        ("actions", {"action_name": "signed up", "user_id": "u1"}),
        ("users", {"user_id": "u1"}),
        ("companies", {"company_id": "c1"}),
        ("subscriptions", {"subscription_id": "s1", "company_id": "c1", "status": "active"}),
    ):
        for start in range(0, len(documents), 50):
            metadatas = documents[start : start + 50]
            items = [{**ids, "metadata": one} for one in metadatas]
            send(f"/v1/{kind}/batch", items)
            send(f"/v1/{kind}/batch", [{"metadata": one} for one in metadatas])
            send(f"/v1/{kind}", items[0])
    for label, text in _texts():
        if text.startswith("/a") or label == "header":
            send("/v1/traces", _spans(text))


def _spans(text: str) -> dict[str, Any]:
    name, _, value = text.partition(": ")
    sent = {
        "http.request.method": "GET",
        "url.full": f"https://api.example{text if text.startswith('/a') else '/'}",
        f"http.request.header.{name.lower() if value else 'accept'}": value or "*/*",
    }
    attributes = [{"key": key, "value": {"stringValue": one}} for key, one in sent.items()]
    span = {
        "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "kind": 2,
        "name": "GET", "startTimeUnixNano": "1763888720000000000",
        "endTimeUnixNano": "1763888720100000000", "attributes": attributes,
    }  # fmt: skip
    return {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """A data directory after all that, its server ended."""
    data = tmp_path_factory.mktemp("no-secret")
    with serving(data, SETTINGS, "--log-level", "debug") as server:
        key = server.cli("apps", "list")[0]["collector_application_id"]

        def send(path: str, body: Any, headers: Any = None) -> None:
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            form = {"x-moesif-application-id": key, "content-type": "application/json"}
            answer = server.ask("POST", path, raw, {**form, **(headers or {})})
            assert answer.status < 500, (path, answer.data)

        _send_calls(server, send)
        _send_broken(send)
        _send_others(send)
        server.settle(within_s=120)
        assert server.process.stdout is not None
        server.stop()
        (data / "stdout.log").write_text(server.process.stdout.read())
    words = [secret for _, _, secret in _planted()] + ["Qx7-planted-zz"]
    return Planted(data, list(dict.fromkeys(words)))


def test_the_search_finds_what_is_there(planted: Planted) -> None:
    """A check that cannot fail is none: plain words are found in the log and in the store."""
    found = leaks_in(planted.data, [KEPT, REJECTED])
    folders = {word: {file.split("/")[0] for file in files} for word, files in found.items()}
    for word in (KEPT, REJECTED):
        assert {"eventlog", "eventstore"} <= folders[word], found


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


def test_no_secret_is_anywhere_on_the_disk(planted: Planted) -> None:
    """Not in the log, the store, the rejects, the configuration or the debug output."""
    assert "server_draining" in (planted.data / "stderr.log").read_text()
    assert leaks_in(planted.data, planted.secrets) == {}


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
