"""Send every secret that the rules of masking speak of through every door of the collector.

In: a way to send. Out: requests and files with items that are good, bad, broken and too large; each
secret is one of the vectors, in every place where text can be.
"""

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.parse import quote

from tests.support.otlp import as_json, as_protobuf, log, logs, span, traces, value_of
from tests.unit.collector.mask_places import PLACES
from tests.unit.collector.mask_vectors import BROKEN, NAMED, SHAPED

Send = Callable[..., None]
"""Takes a path, a body (bytes, or what becomes JSON), and headers."""

KEPT = "kept-on-purpose-8841"
"""No secret by any rule: it must be found, or the search finds nothing."""
REJECTED = "rejected-on-purpose-8842"
EXPORTED, EXPORT_REJECTED = "exported-on-purpose-8843", "export-rejected-on-purpose-8844"
EXPORT_UNREAD = "export-unread-on-purpose-8847"
IMPORTED, IMPORT_REJECTED = "imported-on-purpose-8845", "import-rejected-on-purpose-8846"
_FORMS = ((as_json, "application/json"), (as_protobuf, "application/x-protobuf"))
_ADDRESS_ATTRIBUTES = (
    "client.address", "http.client_ip", "network.peer.address", "net.sock.peer.addr", "net.peer.ip",
    "source.address", "http.request.header.x-forwarded-for", "http.request.header.x_real_ip",
)  # fmt: skip
_LINE = (
    '198.51.100.7 - - [17/May/2015:10:05:03 +0000] "GET {uri} HTTP/1.1" 200 5 '
    '"https://api.example{uri}" "{agent}"'
)


def planted() -> Iterator[tuple[str, str, str]]:
    """Return name, value and secret of every vector; each secret is its own."""
    number = 0
    for _, names in NAMED:
        for name in names:
            number += 1
            yield name, f"Qx7planted{number:04}", f"Qx7planted{number:04}"
    for _, text, secret, _ in SHAPED:
        yield "note", text, secret


def texts_in_places() -> Iterator[tuple[str, str]]:
    """Return every vector in every place, with the label of the place."""
    for name, value, _ in planted():
        yield from _texts_of(name, value)


def as_event(label: str, text: str) -> dict[str, Any]:
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


def send_calls(send: Send) -> None:
    """Send calls: good, spoilt, and too large."""
    events = [as_event(label, text) for label, text in texts_in_places()]
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


def send_broken(send: Send) -> None:
    """Send what is no JSON: cut short, never any, and packed badly."""
    for text in BROKEN:
        send("/v1/events", text.encode())
        send("/v1/events/batch", b'[{"request": {"uri": "/a", ' + text.encode())
        send("/v1/users/batch", b'[{"user_id": "u1"}, ' + text.encode() + b"]")
        send("/v1/events", text.encode(), {"content-encoding": "gzip"})
    for label, text in texts_in_places():
        whole = json.dumps([as_event(label, text)]).encode()
        send("/v1/events/batch", whole[: len(whole) * 3 // 4])


def send_others(send: Send) -> None:
    """Send actions and profiles."""
    documents = [
        json.loads(text) for label, text in texts_in_places() if label in {"member", "depth"}
    ]
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


def send_exports(send: Send) -> None:
    """Send spans and log records, in both forms; every fifth is no call, or no record at all."""
    for number, (name, value, _) in enumerate(planted()):
        for label, text in _texts_of(name, value):
            if not (text.startswith("/a") or label == "header"):
                continue
            said = _attributes(label, text) | {name: value, "note": f"{name}={value}"}
            said["on purpose"] = EXPORTED
            if number % 5 == 0:
                said["on purpose"] = EXPORT_REJECTED
                del said["url.full"]
            for form, content_type in _FORMS:
                # Of its own: what has the ids of another call is a repeat, and not stored.
                ids: dict[str, Any] = {"traceId": token_hex(16), "spanId": token_hex(8)}
                # A log record is no call without its answer's status.
                answered = said | {"http.response.status_code": 200}
                record = log(answered, body=value_of(said), **ids)
                resource = {name: value}
                spans = traces(span(said, **ids), resource=resource)
                send("/v1/traces", form(spans), {"content-type": content_type})
                records = logs(record, resource=resource)
                send("/v1/logs", form(records), {"content-type": content_type})
            if number % 5 == 1:
                said["on purpose"] = EXPORT_UNREAD
                send("/v1/traces", traces(span(said, startTimeUnixNano="soon")))
                send("/v1/logs", logs(log(said, timeUnixNano="soon")))


def _attributes(label: str, text: str) -> dict[str, Any]:
    name, _, value = text.partition(": ")
    is_header = label == "header"
    return {
        "http.request.method": "GET",
        "url.full": f"https://api.example{'/' if is_header else text}",
        f"http.request.header.{name.lower() if is_header else 'accept'}": value or "*/*",
    }


def send_personal(send: Send, words: Iterable[str]) -> None:
    """Send words under the names that make an app's own policy hide them, in every place."""
    email, ipv4, ipv6, ssn, tenant = words
    for name, value in (("note", f"write to {email} soon"), ("ssn", ssn), ("tenant", tenant)):
        events = [as_event(label, text) for label, text in _texts_of(name, value)]
        for address in (ipv4, ipv6):
            node = f'"[{address}]"' if ":" in address else address
            said = {"X-Forwarded-For": f"{address}, 10.0.0.1", "Forwarded": f"for={node}"}
            for event in events:
                event["request"]["headers"] |= said | {"X-Real-IP": address}
                event["request"]["ip_address"] = address
            send("/v1/events/batch", events)
            send("/v1/events/batch", [bad for event in events for bad in _spoil(event)])
    for number, address in enumerate((ipv4, ipv6, ipv4, ipv6)):
        said = _attributes("query", "/a") | dict.fromkeys(_ADDRESS_ATTRIBUTES, address)
        if number > 1:
            del said["url.full"]
        ids: dict[str, Any] = {"traceId": token_hex(16), "spanId": token_hex(8)}
        record = log(said | {"http.response.status_code": 200}, **ids)
        for form, content_type in _FORMS:
            send("/v1/traces", form(traces(span(said, **ids))), {"content-type": content_type})
            send("/v1/logs", form(logs(record)), {"content-type": content_type})
    actions = [{"action_name": "a", "user_id": "u", "metadata": {"ssn": ssn, "to": email}}]
    send("/v1/actions/batch", [*actions, {"metadata": {"ssn": ssn, "to": email}}])


def write_logs(folder: Path) -> list[Path]:
    """Write what an import reads: access logs, events, and lines that say nothing."""
    uris = [text for _, text in texts_in_places() if text.startswith("/a")]
    lines = [_LINE.format(uri=uri, agent=IMPORTED) for uri in uris]
    agents = [_LINE.format(uri="/a", agent=f"curl/8 {n}={v}") for n, v, _ in planted()]
    events = [json.dumps(as_event(label, text)) for label, text in texts_in_places()]
    nothing = [f"{IMPORT_REJECTED} {name}={value}" for name, value, _ in planted()]
    files = {
        "plain.log": [*lines, *agents, *nothing, *(line[:-9] for line in lines)],
        "odd.log": [f"{line} 0.012" for line in lines],
        "events.jsonl": [*events[::3], *(json.dumps(bad) for bad in _spoilt(events[::17]))],
        "broken.json": ["[" + ",".join(events[1::9])[:-30]],
        "archive.har": [json.dumps({"log": {"entries": list(_entries())}})],
    }
    for name, content in files.items():
        (folder / name).write_text("\n".join(content))
    return [folder / name for name in files]


def _entries() -> Iterator[dict[str, Any]]:
    """Return entries of an HTTP archive, good and bad: names stand beside their values."""
    for name, value, _ in planted():
        pairs = [{"name": name, "value": value}]
        url = f"https://api.example/a?{quote(name)}={quote(value)}"
        said = {"headers": pairs, "cookies": pairs, "queryString": pairs}
        request = {"method": "GET", "url": url, **said}
        answer = {"status": 200, "headers": pairs}
        entry = {"startedDateTime": "2026-11-20T10:00:00Z", "request": request, "response": answer}
        yield entry
        # The word stands in front: of an item only the beginning is shown.
        yield {"comment": IMPORT_REJECTED, **entry, "response": {**answer, "status": "many"}}


def _spoilt(events: list[str]) -> list[dict[str, Any]]:
    return [bad for event in events for bad in _spoil(json.loads(event))]


def _texts_of(name: str, value: str) -> Iterator[tuple[str, str]]:
    for place in PLACES:
        if place.names(name):
            yield place.label, place.put(name, value)
