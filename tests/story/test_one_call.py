"""One call: what happens to a request that a customer's API answers.

A team has an API, instrumented with Moesif's open-source middleware. They change one setting, the
base URI, to their own Headwater. This is what they see.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.eventually import eventually
from tests.support.programs import run_program
from tests.support.server import Server, serving


@pytest.fixture(scope="module")
def headwater(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A fresh Headwater that has watched the parcel API serve three requests."""
    with serving(tmp_path_factory.mktemp("one-call")) as server:
        key = server.cli("apps", "list")[0]["collector_application_id"]
        run_program("parcel_api.py", server.url, key)
        run_program("crm_sync.py", server.url, key)
        yield server


@pytest.fixture(scope="module")
def app_id(headwater: Server) -> str:
    """A new Headwater has one app, so that a newcomer can send at once."""
    return str(headwater.cli("apps", "list")[0]["app_id"])


@pytest.fixture(scope="module")
def calls(headwater: Server, app_id: str) -> dict[int, dict[str, Any]]:
    """The three calls by their status, as the event log shows them."""

    def recorded() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = headwater.query(app_id, "events", limit=10)["events"]
        return found if len(found) == 3 else []

    return {call["response"]["status"]: call for call in eventually(recorded)}


def test_every_request_is_recorded(calls: dict[int, dict[str, Any]]) -> None:
    """Each request of the API is one event, with its verb and status."""
    verbs = {status: call["request"]["verb"] for status, call in calls.items()}

    assert verbs == {422: "POST", 201: "POST", 200: "GET"}


def test_routes_are_recognised(calls: dict[int, dict[str, Any]]) -> None:
    """Ids in paths are folded, so that a report has one line for an endpoint."""
    assert calls[200]["request"]["route"] == "/v2/labels/:id"
    assert calls[422]["request"]["route"] == "/v2/labels"


def test_the_caller_is_known(calls: dict[int, dict[str, Any]]) -> None:
    """The team's own user and company ids come with each call, and the client library does too."""
    assert {("ana", "parcel")} == {(call["user_id"], call["company_id"]) for call in calls.values()}
    assert (calls[200]["client"]["name"], calls[200]["client"]["version"]) == (
        "parcel-python",
        "2.1.0",
    )


def test_secrets_never_arrive(headwater: Server, calls: dict[int, dict[str, Any]]) -> None:
    """Keys and passwords are masked before anything is written down, on disk too."""
    assert "password" in calls[201]["request"]["body"]
    holders = [
        path.name
        for path in headwater.data.rglob("*")
        for secret in (b"sk_live_not_for_analytics", b"hunter2")
        if secret in _bytes_of(path)
    ]
    assert holders == []


def _bytes_of(path: Path) -> bytes:
    """Return a file's bytes; the store may have merged it away since it was listed."""
    try:
        return path.read_bytes() if path.is_file() else b""
    except FileNotFoundError:
        return b""


def test_reports_count_it(headwater: Server, app_id: str, calls: dict[int, dict[str, Any]]) -> None:
    """The same calls are in the counts and in the time series."""
    failed = {"field": "response.status", "op": "gte", "value": 400}

    assert len(calls) == headwater.query(app_id, "count")["count"]
    assert headwater.query(app_id, "count", filters=failed)["count"] == 1
    series = headwater.query(app_id, "timeseries", measure="calls", interval="day", from_="-7d")
    assert sum(line["total"] for line in series["series"]) == 3


def test_people_are_known_by_name(headwater: Server, app_id: str) -> None:
    """The nightly job's profile and the calls meet in one person, with a timeline."""

    def named() -> list[dict[str, Any]]:
        users: list[dict[str, Any]] = headwater.query(app_id, "users")["users"]
        return [user for user in users if user.get("email") == "ana@parcel.example"]

    (ana,) = eventually(named)

    assert (ana["user_id"], ana["calls"]) == ("ana", 3)
    timeline = headwater.query(app_id, "user_timeline", user_id="ana")
    assert sum(item["kind"] == "call" for item in timeline["items"]) == 3


def test_the_same_answers_on_the_command_line(headwater: Server, app_id: str) -> None:
    """`headwater query` gives what the query API gives."""
    answer = headwater.cli("query", "count", "--app", app_id, "--spec", "-", stdin=json.dumps({}))

    assert answer["count"] == 3


def test_it_is_all_there_after_a_power_cut(headwater: Server, app_id: str, tmp_path: Path) -> None:
    """kill -9 of everything, and a start on the same data: the three calls are still three."""
    with serving(tmp_path / "own") as server:
        app = server.cli("apps", "list")[0]
        run_program("parcel_api.py", server.url, app["collector_application_id"])
        server.kill_group()
    with serving(tmp_path / "own") as again:
        assert eventually(lambda: again.query(app["app_id"], "count")["count"]) == 3
        again.settle()
        assert again.query(app["app_id"], "count")["count"] == 3
