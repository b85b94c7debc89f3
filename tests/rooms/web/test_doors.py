"""The OpenAPI document tells the truth about the doors beside the web: paths, bodies, answers."""

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema_rs
import pytest

from headwater.base.openapi import JSON, REF, DoorText
from headwater.base.settings import ConfigDbSettings
from headwater.collector import describe_collector, describe_otlp
from headwater.collector.http import _GETS, _KINDS
from headwater.configdb import ConfigDb, migrate
from headwater.model import Reject
from headwater.tracking import describe_tracking
from headwater.tracking.paths import KEY_CHECK, LONG, METRICS, SHORT, read_path
from headwater.web.openapi import complete
from tests.fuzz.items import COLLECTOR, LOG, MESSAGE, RESOURCE, SPAN
from tests.support.collector_door import Door, open_door
from tests.support.tracking_door import Door as TrackingDoor
from tests.support.web import World, browse

DOORS = [describe_collector(), describe_otlp(), describe_tracking()]
SCHEMAS = {
    "/v1/events": "CollectorEvent",
    "/v1/actions": "CollectorAction",
    "/v1/users": "CollectorUser",
    "/v1/companies": "CollectorCompany",
    "/v1/subscriptions": "CollectorSubscription",
}


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with open_door(tmp_path_factory.mktemp("door")) as opened:
        yield opened


@pytest.fixture(scope="module")
def configdb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConfigDb]:
    opened = ConfigDb.open(ConfigDbSettings(), tmp_path_factory.mktemp("configdb"))
    migrate(opened)
    yield opened
    opened.close()


def validator(text: DoorText, schema: Mapping[str, Any]) -> Any:
    """Return what checks a document against a schema of a door."""
    return jsonschema_rs.validator_for({**schema, "components": {"schemas": {**text.schemas}}})


def examples() -> list[tuple[str, Mapping[str, Any]]]:
    return [(path + form, item) for path, item in COLLECTOR.items() for form in ("", "/batch")]


def test_every_path_that_the_doors_answer_is_described_and_no_other() -> None:
    """In one of its spellings; prefix and slashes aside."""
    collector, otlp, tracking = (text.addresses() for text in DOORS)
    assert collector | otlp == {*_KINDS, *_GETS}
    others = ("pixel/{type}", "projects/{key}/settings", METRICS, KEY_CHECK)
    assert tracking == {f"/v1/{name}" for name in (*LONG, *SHORT, *others)}
    assert all(read_path(path.replace("{type}", "track")) for path in tracking)


async def test_the_document_holds_the_doors_beside_the_web(world: World) -> None:
    """No name stands for two things, and every reference leads somewhere."""
    async with browse(world) as browser:
        web = (await browser.get("/api/openapi.json")).json()
    for text in DOORS:
        assert not set(web["components"]["schemas"]) & set(text.schemas)
        assert not set(web["paths"]) & set(text.paths)
    whole = json.dumps(complete(web, DOORS))
    for part in whole.split('"$ref": "')[1:]:
        assert part.partition('"')[0].removeprefix(REF) in web["components"]["schemas"]


async def test_the_page_shows_the_doors(world: World) -> None:
    """With what holds for all of a door, and its other spellings."""
    async with browse(world, DOORS) as browser:
        page = (await browser.get("/api/docs", headers={"accept": "text/html"})).text
    for text in DOORS:
        assert f">{text.tag}</h2>" in page
        assert all(f'<span class="mono">{path}</span>' in page for path in text.paths)
    assert "X-Moesif-Application-Id" in page
    assert "<code>/v1/t</code>" in page


@pytest.mark.parametrize(("path", "item"), examples())
def test_what_is_described_is_taken(door: Door, path: str, item: Mapping[str, Any]) -> None:
    """One item and a list; the answer is one that is described."""
    text = DOORS[0]
    body = text.paths[path]["post"]["requestBody"]["content"][JSON]["schema"]
    for sent in (item, [item, item]):
        validator(text, body).validate(sent)
        before = len(door.only(Reject))
        assert str(door.post(path, sent)) in text.paths[path]["post"]["responses"]
        assert len(door.only(Reject)) == before


@pytest.mark.parametrize(("path", "item"), COLLECTOR.items())
def test_what_is_required_is_required_and_nothing_else(
    door: Door, path: str, item: Mapping[str, Any]
) -> None:
    """Each field left out in turn."""
    schema = DOORS[0].schemas[SCHEMAS[path]]
    for name in item:
        before = len(door.only(Reject))
        door.post(path, {key: value for key, value in item.items() if key != name})
        is_rejected = len(door.only(Reject)) > before
        assert is_rejected == (name in schema["required"] if "required" in schema else False), name


@pytest.mark.parametrize(("path", "name"), [("/v1/config", "CollectorConfig"), ("/v1/rules", "")])
def test_documents_are_as_described(door: Door, path: str, name: str) -> None:
    """What client libraries fetch."""
    answer = DOORS[0].paths[path]["get"]["responses"]["200"]
    schema = answer["content"][JSON]["schema"]
    reply = door.ask("GET", path)
    validator(DOORS[0], schema).validate(json.loads(reply.data))
    assert {header.lower() for header in answer["headers"]} <= set(map(str.lower, reply.headers))
    assert not name or schema == {"$ref": REF + name}


def test_errors_are_as_described(door: Door) -> None:
    """Of the Collector API in the house's form, of OpenTelemetry in the protocol's."""
    told = json.loads(door.ask("POST", "/v1/events", b"{", x_moesif_application_id="x").data)
    assert set(told) >= {"code", "message"}
    reply = door.ask("POST", "/v1/traces", b"{", content_type="application/json")
    validator(DOORS[1], {"$ref": f"{REF}OtlpRpcStatus"}).validate(json.loads(reply.data))


def test_exports_are_as_described(door: Door) -> None:
    """What an exporter sends in JSON, and what it hears."""
    export = {
        "resourceSpans": [{"resource": RESOURCE, "scopeSpans": [{"spans": [SPAN]}]}],
        "resourceLogs": [{"resource": RESOURCE, "scopeLogs": [{"logRecords": [LOG]}]}],
    }
    for name in ("OtlpTracesExport", "OtlpLogsExport"):
        validator(DOORS[1], {"$ref": f"{REF}{name}"}).validate(export)
    bad = copy.deepcopy(export)
    bad["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["startTimeUnixNano"] = {}  # type: ignore[index]
    for body, partly in ((export, False), (bad, True)):
        sent = json.dumps(body).encode()
        told = json.loads(door.ask("POST", "/v1/traces", sent, content_type=JSON).data)
        validator(DOORS[1], {"$ref": f"{REF}OtlpExportAnswer"}).validate(told)
        assert ("partialSuccess" in told) == partly


TAKES_MESSAGES = [
    path for path, item in DOORS[2].paths.items() if "requestBody" in item.get("post", {})
]


@pytest.mark.parametrize("path", TAKES_MESSAGES)
async def test_messages_are_as_described(configdb: ConfigDb, path: str) -> None:
    """Each path takes its message or batch, and both answers have their form."""
    text = DOORS[2]
    operation = text.paths[path]["post"]
    message = {**MESSAGE, "groupId": "g", "previousId": "p"}
    is_batch = path in {"/v1/batch", "/v1/import"}
    sent = {"batch": [message, {**message, "event": 3}]} if is_batch else message
    good = {"batch": [message]} if is_batch else message
    validator(text, operation["requestBody"]["content"][JSON]["schema"]).validate(good)
    tracking = TrackingDoor(configdb)
    for key in (tracking.add_source().write_key, "nobody"):
        answer = await tracking.call(path, sent, key)
        described = operation["responses"]["200" if answer.status == 200 else "4XX"]
        validator(text, described["content"][JSON]["schema"]).validate(answer.json)
        assert answer.json["success"] == (key != "nobody")
        assert ("rejected" in answer.json) == (is_batch and key != "nobody")
    await tracking.close()
