"""Every row of the reference table, from the collector's door to whoever receives the identify.

Calls, a user and a company are posted to a running server as any Moesif client would. What comes
out is read at a recorder that stands where Segment would, and behind a source of this server, at a
webhook and in a warehouse; each in both generations of the payload.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from headwater import __version__
from tests.support.eventually import eventually
from tests.support.server import Server, serving
from tests.support.webhook import Received, Receiver, receiving

VERSIONS = ("current", "2019")
WITHIN = timedelta(minutes=10)
AGENT = "acme-sdk/2.1 (iPhone; iOS 17.4)"
KNOWN = {
    "name": "Ada Byron",
    "email": "ada@acme.example",
    "username": "adab",
    "locale": "de-DE",
    "plan": "pro",
}
COMPANY_SAYS = {"plan": "scale", "seats": 40}


class Times:
    """The moments of the story, in a zone where it is about noon: no day turns during the test."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC).replace(microsecond=0)
        ahead = 12 - self.now.hour
        self.zone = f"Etc/GMT{-ahead:+}" if ahead else "Etc/GMT"
        local = self.now + timedelta(hours=ahead)
        self.midnight = self.now - timedelta(
            hours=local.hour, minutes=local.minute, seconds=local.second
        )
        self.yesterday = f"{local - timedelta(days=1):%Y-%m-%d}"
        self.founded = self.midnight - timedelta(days=20)
        self.signed_up = self.midnight - timedelta(days=11)
        self.first_call = self.midnight - timedelta(days=10) + timedelta(hours=9)
        self.refused_call = self.midnight - timedelta(hours=14)
        self.sampled_call = self.midnight - timedelta(hours=6)
        self.last_call = self.now - WITHIN


def wire(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def call(at: datetime, ms: float, status: int, request: str, ip: str, weight: int = 1) -> Any:
    """Return an event in Moesif's form; `request` is such as `GET /items/1`."""
    verb, path = request.split()
    return {
        "request": {
            "time": at.isoformat(), "verb": verb, "uri": f"https://api.acme.example{path}",
            "headers": {"User-Agent": AGENT}, "ip_address": ip,
        },
        "response": {"time": (at + timedelta(milliseconds=ms)).isoformat(), "status": status},
        "user_id": "12345", "company_id": "67890", "weight": weight,
    }  # fmt: skip


def history(times: Times) -> dict[str, Any]:
    """Return what is posted, by path."""
    return {
        "/v1/users": {
            "user_id": "12345", "company_id": "67890", "modified_time": wire(times.signed_up),
            "metadata": KNOWN, "location": {"city": "Berlin", "country": "DE"},
            "campaign": {"utm_source": "newsletter", "utm_campaign": "launch"},
        },
        "/v1/companies": {
            "company_id": "67890", "company_domain": "acme.example",
            "modified_time": wire(times.founded), "metadata": COMPANY_SAYS,
        },
        "/v1/events/batch": [
            call(times.first_call, 3.5, 200, "GET /items/1", "203.0.113.1"),
            call(times.refused_call, 12.5, 404, "POST /orders", "203.0.113.1"),
            call(times.sampled_call, 3.5, 200, "GET /items/7", "203.0.113.1", weight=10),
            call(times.last_call, 20.0, 500, "GET /items/9", "203.0.113.7"),
        ],
    }  # fmt: skip


def yesterday(times: Times) -> dict[str, Any]:
    """`dailyAggregation`: the refused call, and one that stands for ten."""
    return {
        "date": times.yesterday,
        "totalCalls": 11,
        "successfulCalls": 10,
        "clientErrors": 1,
        "serverErrors": 0,
        "errorRate": 0.0909,
        "blockedCalls": 0,
        "latencyMs": {"p50": 3.5, "p90": 3.5, "p99": 12.5, "mean": 4.3},
        "requestBytes": 0,
        "responseBytes": 0,
        "activeHours": 2,
        "distinctEndpoints": 2,
        "topEndpoints": [
            {"verb": "GET", "route": "/items/:id", "calls": 10, "errors": 0, "p90Ms": 3.5},
            {"verb": "POST", "route": "/orders", "calls": 1, "errors": 1, "p90Ms": 12.5},
        ],
        "topErrors": [{"verb": "POST", "route": "/orders", "status": 404, "calls": 1}],
        "clients": [{"name": "acme-sdk", "version": "2.1", "calls": 11}],
        "firstCallAt": wire(times.refused_call),
        "lastCallAt": wire(times.sampled_call),
        "callsPrevious7Days": 11,
        "callsTrend7Days": 11.0,
        "daysActiveLast28": 2,
        "sampled": True,
    }


def last_24_hours(times: Times) -> dict[str, Any]:
    """`last24HourAggResults` without `from` and `to`: the one that stands for ten, and the last."""
    return {
        "totalCalls": 11,
        "successfulCalls": 10,
        "clientErrors": 0,
        "serverErrors": 1,
        "errorRate": 0.0909,
        "blockedCalls": 0,
        "latencyMs": {"p50": 3.5, "p90": 3.5, "p99": 20.0, "mean": 5.0},
        "requestBytes": 0,
        "responseBytes": 0,
        "activeHours": 2,
        "distinctEndpoints": 1,
        "topEndpoints": [
            {"verb": "GET", "route": "/items/:id", "calls": 11, "errors": 1, "p90Ms": 3.5}
        ],
        "topErrors": [{"verb": "GET", "route": "/items/:id", "status": 500, "calls": 1}],
        "clients": [{"name": "acme-sdk", "version": "2.1", "calls": 11}],
        "firstCallAt": wire(times.sampled_call),
        "lastCallAt": wire(times.last_call),
        "callsPrevious7Days": 12,
        "callsTrend7Days": 12.0,
        "daysActiveLast28": 3,
        "sampled": True,
    }


def rolling(name: str) -> Callable[[Times], Any]:
    """Return how one field of the rolling window is known."""
    return lambda times: last_24_hours(times)[name]


@dataclass(frozen=True)
class Row:
    """One row of docs/reference/traits.md: where it stands, in which versions, what it is."""

    path: str
    expected: Callable[[Times], Any]
    versions: tuple[str, ...] = VERSIONS


CURRENT = ("current",)
REFERENCE = (
    Row("type", lambda _: "identify"),
    Row("userId", lambda _: "12345"),
    Row("context.ip", lambda _: "203.0.113.7"),
    Row("context.userAgent", lambda _: AGENT),
    Row("context.os", lambda _: {"name": "iOS", "version": "17.4"}),
    Row("context.device", lambda _: {"name": "iPhone"}),
    Row("context.locale", lambda _: "de-DE"),
    Row("context.location", lambda _: {"city": "Berlin", "country": "DE"}),
    Row("context.campaign", lambda _: {"name": "launch", "source": "newsletter"}),
    Row("context.library", lambda _: {"name": "headwater", "version": __version__}),
    Row("traits.id", lambda _: "12345"),
    Row("traits.name", lambda _: "Ada Byron"),
    Row("traits.email", lambda _: "ada@acme.example"),
    Row("traits.username", lambda _: "adab"),
    Row("traits.createdAt", lambda t: wire(t.signed_up)),
    Row("traits.firstSeenTime", lambda t: wire(t.first_call)),
    Row("traits.lastSeenTime", lambda t: wire(t.last_call)),
    Row("traits.modifiedTime", lambda t: wire(t.signed_up)),
    Row("traits.dailyAggregation", yesterday),
    Row("traits.company.id", lambda _: "67890", CURRENT),
    Row("traits.company.created", lambda t: wire(t.founded), CURRENT),
    Row("traits.company.modifiedTime", lambda t: wire(t.founded), CURRENT),
    Row("traits.company.firstSeenTime", lambda t: wire(t.first_call), CURRENT),
    Row("traits.company.lastSeenTime", lambda t: wire(t.last_call), CURRENT),
    Row("traits.company.ipAddress", lambda _: "203.0.113.7", CURRENT),
    Row("traits.company.companyDomain", lambda _: "acme.example", CURRENT),
    Row(
        "traits.company.ttfhw_s",
        lambda t: int((t.first_call - t.founded).total_seconds()),
        CURRENT,
    ),
    Row("traits.company.metadata", lambda _: COMPANY_SAYS, CURRENT),
    Row("traits.campaign", lambda _: {"utmSource": "newsletter", "utmCampaign": "launch"}, CURRENT),
    Row("traits.metadata", lambda _: KNOWN, CURRENT),
    Row("traits.userAgent", lambda _: AGENT, CURRENT),
    Row("traits.company", lambda _: "67890", ("2019",)),
    *(
        Row(f"traits.last24HourAggResults.{name}", rolling(name), CURRENT)
        for name in last_24_hours(Times())
    ),
)


@dataclass
class Told:
    """What arrived: the request at the recorder, and the message behind the own source."""

    request: Received
    at_recorder: dict[str, Any]
    at_webhook: dict[str, Any]
    columns: dict[str, Any]


class House:
    """A running server, and the recorder that stands for all other houses."""

    def __init__(self, server: Server, recorder: Receiver, folder: Path, times: Times) -> None:
        self.server, self.recorder, self.folder, self.times = server, recorder, folder, times

    def app_with_history(self, name: str) -> str:
        app = self.server.api("POST", "/api/v1/apps", {"name": name, "timezone": self.times.zone})
        headers = {
            "x-moesif-application-id": app["collector_application_id"],
            "content-type": "application/json",
        }
        for path, body in history(self.times).items():
            answer = self.server.ask("POST", path, body, headers)
            assert answer.status == 201, answer.data
        self.server.settle()
        return str(app["app_id"])

    def connect(self, app_id: str, settings: dict[str, Any]) -> None:
        """Connect what has its whole history: the first message, whoever sends it, tells all."""
        path = f"/api/v1/apps/{app_id}/extensions/segment"
        self.server.api("PUT", path, settings)
        self.server.api("POST", f"{path}/sync")

    def received(self, path: str) -> Received:
        """Return the only request with messages that came to a path."""
        (got,) = eventually(
            lambda: [
                got
                for got in self.recorder.received
                if got.path == path and got.json.get("batch") != []  # the check of a key sends none
            ]
        )
        return got

    def tell_recorder(self, version: str) -> Received:
        """Return the request of a connection to anybody's Tracking API."""
        app_id = self.app_with_history(f"to the recorder, {version}")
        url = f"{self.recorder.url}/{version}"
        key = {"partner_key": "somebodys-write-key", "endpoint": url, "payload_version": version}
        self.connect(app_id, key)
        return self.received(f"/{version}/v1/batch")

    def tell_source(self, version: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the message at a webhook of an own source, and its row in a warehouse."""
        kind = {"type": "api-analytics", "name": f"API {version}", "payload_version": version}
        source = self.server.api("POST", "/api/v1/sources", kind)
        hook, file = f"/hook-{version}", str(self.folder / f"house-{version}.duckdb")
        self.server.api(
            "POST",
            "/api/v1/destinations",
            {
                "type": "webhook",
                "source": source["slug"],
                "settings": {"url": self.recorder.url + hook},
            },
        )
        warehouse = self.server.api(
            "POST",
            "/api/v1/warehouses",
            {"type": "duckdb", "source": source["slug"], "settings": {"path": file}},
        )
        app_id = self.app_with_history(f"to the source, {version}")
        self.connect(app_id, {"partner_key": source["write_key"]})
        got = self.received(hook)
        self.server.cli("warehouses", "sync", warehouse["id"])
        with duckdb.connect(file, read_only=True) as connection:
            schema = source["slug"].replace("-", "_")
            (row,) = connection.sql(f"FROM {schema}.identifies").to_arrow_table().to_pylist()
        return got.json, row


@pytest.fixture(scope="module")
def times() -> Times:
    return Times()


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, times: Times) -> Iterator[dict[str, Told]]:
    """Both generations, each told to the recorder and to a source of this server."""
    folder = tmp_path_factory.mktemp("payload")
    env = {"HEADWATER_EGRESS__ALLOW": "127.0.0.0/8", "HEADWATER_EXTENSIONS__SYNC_EVERY_S": "3600"}
    with receiving() as recorder, serving(folder / "data", env) as server:
        house = House(server, recorder, folder, times)
        found = {}
        for version in VERSIONS:
            request = house.tell_recorder(version)
            (message,) = request.json["batch"]
            found[version] = Told(request, message, *house.tell_source(version))
        yield found


def at(message: Any, path: str) -> Any:
    """Return what stands at a path, or `...` for nothing."""
    for name in path.split("."):
        if not isinstance(message, dict) or name not in message:
            return ...
        message = message[name]
    return message


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("row", REFERENCE, ids=lambda row: f"{row.path}")
def test_the_row_holds(told: dict[str, Told], times: Times, row: Row, version: str) -> None:
    """At the recorder and behind the own source; absent in a version that does not have it."""
    for message in (told[version].at_recorder, told[version].at_webhook):
        found = at(message, row.path)
        if row.path == "traits.company" and version == "current":
            assert isinstance(found, dict)  # its fields are rows of their own
        else:
            assert found == (row.expected(times) if version in row.versions else ...)


@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_else_is_sent(told: dict[str, Told], version: str) -> None:
    """Each trait, and each field of the company and the context, is a row of the table."""
    for message in (told[version].at_recorder, told[version].at_webhook):
        for place in ("context", "traits", "traits.company", "traits.last24HourAggResults"):
            fields = at(message, place)
            if isinstance(fields, dict):
                assert set(fields) - {"from", "to"} == names_of(place, version)


def names_of(place: str, version: str) -> set[str]:
    """Return the names that the table has at a place."""
    depth = place.count(".") + 1
    return {
        row.path.split(".")[depth]
        for row in REFERENCE
        if row.path.startswith(f"{place}.") and version in row.versions
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_the_request_is_that_of_segments_own_client(told: dict[str, Told], version: str) -> None:
    """A batch with `sentAt`, posted as JSON with the write key as the user of Basic."""
    request = told[version].request
    assert request.path == f"/{version}/v1/batch"
    assert set(request.json) == {"batch", "sentAt"}
    assert request.headers["content-type"] == "application/json"
    assert request.headers["authorization"].startswith("Basic ")


def test_the_rolling_window_ends_with_the_sync(told: dict[str, Told], times: Times) -> None:
    """It is 24 hours long, and `messageId` and `timestamp` are there."""
    for message in (told["current"].at_recorder, told["current"].at_webhook):
        numbers = message["traits"]["last24HourAggResults"]
        begin, end = (datetime.fromisoformat(numbers[name]) for name in ("from", "to"))
        assert end - begin == timedelta(days=1)
        assert abs(end - times.now) < WITHIN
        assert message["messageId"].startswith("hw-")
        assert abs(datetime.fromisoformat(message["timestamp"]) - times.now) < WITHIN


def test_each_generation_has_its_own_columns(told: dict[str, Told]) -> None:
    """In the warehouse a company is one text, or an object in columns; the numbers are in both."""
    current, old = told["current"].columns, told["2019"].columns
    assert (old["company"], old.get("company_id")) == ("67890", None)
    assert (current["company_id"], current.get("company")) == ("67890", None)
    assert current["company_metadata_seats"] == 40
    for row in (current, old):
        assert row["daily_aggregation_total_calls"] == 11
        assert (row["user_id"], row["email"]) == ("12345", "ada@acme.example")
    assert current["last24_hour_agg_results_server_errors"] == 1
    assert "last24_hour_agg_results_server_errors" not in old
