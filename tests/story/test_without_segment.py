"""A team without Segment: what its back end tells, and what its API sees, are one story.

The back end tells of customers by Segment's own library, with Headwater as its host. The API team
lets that source enrich its app, a warehouse holds everything, and one day a customer asks to be
forgotten by the tools.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support.eventually import eventually
from tests.support.programs import run_program
from tests.support.server import Server, run_cli, serving


@dataclass
class House:
    """What the team has running."""

    headwater: Server
    app_id: str
    source: dict[str, str]
    enrichment: dict[str, Any]
    timeline: list[dict[str, Any]]
    """Of Ana, after everything came in."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One source for the back end, one app for the API, and a line between them."""
    folder = tmp_path_factory.mktemp("without-segment")
    quiet = {"HEADWATER_EXTENSIONS__SYNC_EVERY_S": "3600"}
    with serving(folder / "data", quiet) as server:
        app = server.cli("apps", "list")[0]
        app_id = app["app_id"]
        source = server.cli("sources", "add", "--type", "python", "--name", "Back end")
        enrichment = server.cli("apps", "enrich", app_id, "--source", source["slug"])
        run_program("parcel_api.py", server.url, app["collector_application_id"])
        run_program("shop_backend.py", server.url, source["write_key"], "ana")
        eventually(lambda: len(_timeline(server, app_id, kind="action")) >= 1)
        eventually(lambda: {"metadata.plan": "pro"} in _changes(server, app_id))
        yield House(server, app_id, source, enrichment, _timeline(server, app_id))


def _timeline(server: Server, app_id: str, **asked: str) -> list[dict[str, Any]]:
    query = "".join(f"&{name}={value}" for name, value in asked.items())
    path = f"/api/v1/apps/{app_id}/user/timeline?id=ana{query}"
    found: list[dict[str, Any]] = server.api("GET", path)["items"]
    return found


def _changes(server: Server, app_id: str) -> list[dict[str, Any]]:
    return [item["fields"] for item in _timeline(server, app_id, kind="profile")]


def test_the_profile_knows_what_the_back_end_said(house: House) -> None:
    """The newest plan, by the name that the team gave; the company with its domain."""
    user = house.headwater.api("GET", f"/api/v1/apps/{house.app_id}/user?id=ana")["user"]
    company = house.headwater.api("GET", f"/api/v1/apps/{house.app_id}/company?id=parcel")
    assert (user["name"], user["doc"]["metadata"]["plan"]) == ("Ana Example", "pro")
    assert user["company_id"] == "parcel"
    assert company["company"]["domain"] == "parcel.example"


def test_what_a_user_did_stands_between_the_calls(house: House) -> None:
    """The track is in the timeline, once, though it was sent twice."""
    kinds = {item["kind"] for item in house.timeline}
    actions = [item["action"] for item in house.timeline if item["kind"] == "action"]
    assert kinds == {"call", "action", "profile", "link"}
    assert [action["action_name"] for action in actions] == ["Invited Colleague"]
    assert actions[0]["metadata"] == {"role": "developer"}
    assert actions[0]["request"]["ip_address"] == ""


def test_what_headwater_sends_does_not_come_back(house: House) -> None:
    """The app's activity goes into the same source, as identify calls; the profile stays."""
    server = house.headwater
    segment = ("extensions", "segment")
    server.cli(
        *segment, "connect", "--app", house.app_id, "--partner-key", house.source["write_key"]
    )
    before = _changes(server, house.app_id)
    status = (*segment, "status", "--app", house.app_id)
    eventually(lambda: server.cli(*status)["messages"]["delivered"] == 1)
    server.settle("messages", f"destination:{house.enrichment['id']}")
    server.settle()
    assert server.cli(*segment, "sync", "--app", house.app_id)["delivered"] == 0
    assert _changes(server, house.app_id) == before


def test_a_source_enriches_an_app_once(house: House) -> None:
    """Asked again, the command says what does it already."""
    ask = ("apps", "enrich", house.app_id, "--source", house.source["slug"])
    again = run_cli(house.headwater.data, *ask, ok=False)
    assert again.returncode != 0
    assert house.enrichment["id"] in again.stderr


def test_everything_is_in_the_warehouse(house: House, tmp_path: Path) -> None:
    """As the tables that the team knows, the users with their newest traits."""
    file = str(tmp_path / "warehouse.duckdb")
    added = house.headwater.cli(
        "warehouses", "add", "--type", "duckdb", "--set", f"path={file}",
        "--source", house.source["slug"],
    )  # fmt: skip
    house.headwater.cli("warehouses", "sync", added["id"])
    with duckdb.connect(file, read_only=True) as connection:
        plans = connection.sql("SELECT id, plan FROM back_end.users").fetchall()
        roles = connection.sql("SELECT user_id, role FROM back_end.invited_colleague").fetchall()
    assert plans == [("ana", "pro")]
    assert roles == [("ana", "developer")]


def test_nothing_more_is_taken_in_of_who_asked_so(house: House) -> None:
    """Messages about a suppressed user are refused at the door; those about others are not."""
    server, source = house.headwater, house.source
    server.cli("privacy", "suppress", "ben")
    time.sleep(2.1)  # so often the door looks
    run_program("shop_backend.py", server.url, source["write_key"], "ben")
    received = server.api("GET", f"/api/v1/sources/{source['slug']}/messages")["messages"]
    told_of = {one["userId"] for one in received}
    assert ("ana" in told_of, "ben" in told_of) == (True, False)
