"""One identify: how a user's API activity reaches the tools where the company works.

The team adds the API-analytics source, copies its write key into the Segment extension as the
partner key, and connects a warehouse and a webhook. Nothing else needs to know about Headwater.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb
import pytest

from tests.support.eventually import eventually
from tests.support.programs import run_program
from tests.support.server import Server, serving
from tests.support.webhook import Receiver, receiving

pytestmark = pytest.mark.xdist_group("one_identify")


@dataclass
class Team:
    """A team with everything connected."""

    headwater: Server
    app: dict[str, str]
    source: dict[str, str]
    warehouse: dict[str, str]
    webhook: Receiver
    warehouse_file: str

    def rows(self, question: str) -> list[dict[str, Any]]:
        """Load what waits into the warehouse, then ask it, as its owner would."""
        self.headwater.cli("warehouses", "sync", self.warehouse["id"])
        with duckdb.connect(self.warehouse_file, read_only=True) as connection:
            found: list[dict[str, Any]] = connection.sql(question).to_arrow_table().to_pylist()
        return found

    def sync(self) -> dict[str, Any]:
        """Send what changed, as the schedule would."""
        result: dict[str, Any] = self.headwater.cli(
            "extensions", "segment", "sync", "--app", self.app["app_id"]
        )
        return result


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """Sources, a warehouse, a webhook and the extension, connected on the command line."""
    folder = tmp_path_factory.mktemp("one-identify")
    private = {"HEADWATER_EGRESS__ALLOW": "127.0.0.0/8"}
    quiet = {
        "HEADWATER_EXTENSIONS__SYNC_EVERY_S": "3600",
        "HEADWATER_WAREHOUSE__SYNC_EVERY_S": "3600",
    }
    with receiving() as webhook, serving(folder / "data", private | quiet) as server:
        app = server.cli("apps", "list")[0]
        source = server.cli(
            "sources", "add", "--type", "api-analytics", "--name", "Headwater API Analytics"
        )
        file = str(folder / "warehouse.duckdb")
        warehouse = server.cli("warehouses", "add", "--type", "duckdb", "--set", f"path={file}")
        server.cli(
            "destinations",
            "add",
            "--type",
            "webhook",
            "--source",
            source["slug"],
            "--set",
            f"url={webhook.url}",
        )
        server.cli(
            "extensions",
            "segment",
            "connect",
            "--app",
            app["app_id"],
            "--partner-key",
            source["write_key"],
        )
        run_program("parcel_api.py", server.url, app["collector_application_id"])
        run_program("crm_sync.py", server.url, app["collector_application_id"])
        server.settle()
        yield Team(server, app, source, warehouse, webhook, file)


def test_the_preview_shows_what_will_be_sent(team: Team) -> None:
    """Before anything leaves the house, the team sees the exact messages."""
    app_id = team.app["app_id"]

    preview = team.headwater.cli("extensions", "segment", "preview", "--app", app_id)

    (message,) = preview
    assert (message["type"], message["userId"]) == ("identify", "ana")
    assert message["traits"]["email"] == "ana@parcel.example"
    assert message["context"]["userAgent"] == "parcel-python/2.1.0"


def test_one_identify_reaches_the_warehouse_and_the_webhook(team: Team) -> None:
    """One sync: the same message is a row in the team's tables and a request at its webhook."""
    sent = team.sync()
    (row,) = team.rows("SELECT * FROM headwater_api_analytics.identifies")
    (user,) = team.rows("SELECT * FROM headwater_api_analytics.users")
    request = eventually(lambda: team.webhook.received[:1])[0]

    assert (sent["users_considered"], sent["sent"], sent["delivered"], sent["failed"]) == (
        1,
        1,
        1,
        0,
    )
    assert (row["user_id"], row["email"], row["company_id"]) == (
        "ana",
        "ana@parcel.example",
        "parcel",
    )
    assert row["company_metadata_plan"] == "scale"
    assert row["last24_hour_agg_results_total_calls"] == 3
    assert row["last24_hour_agg_results_client_errors"] == 1
    assert '"/v2/labels/:id"' in row["last24_hour_agg_results_top_endpoints"]
    assert row["context_user_agent"] == "parcel-python/2.1.0"
    assert (user["id"], user["name"], user["username"]) == ("ana", "Ana Example", "ana")
    assert request.json["messageId"] == row["id"]
    assert request.json["traits"]["company"]["metadata"]["plan"] == "scale"
    assert request.headers["webhook-signature"].startswith("v1,")


def test_nothing_new_sends_nothing(team: Team) -> None:
    """A second sync, and even a full one, sends no window twice."""
    before = len(team.rows("SELECT id FROM headwater_api_analytics.identifies"))
    app_id = team.app["app_id"]

    again = team.sync()
    full = team.headwater.cli("extensions", "segment", "sync", "--app", app_id, "--full")

    assert (again["sent"], full["sent"]) == (0, 0)
    assert len(team.rows("SELECT id FROM headwater_api_analytics.identifies")) == before


def test_new_calls_send_a_new_window(team: Team) -> None:
    """Ana calls again: one more identify, and her row in `users` is the newest state."""
    run_program("parcel_api.py", team.headwater.url, team.app["collector_application_id"])
    team.headwater.settle()

    sent = team.sync()

    assert sent["sent"] == 1
    (user,) = team.rows("SELECT * FROM headwater_api_analytics.users")
    assert user["last24_hour_agg_results_total_calls"] == 6
    ids = team.rows("SELECT id FROM headwater_api_analytics.identifies")
    assert len({row["id"] for row in ids}) == len(ids) == 2


def test_the_website_meets_the_api(team: Team) -> None:
    """Segment's own library sends to a second source; its rows stand beside, in its own schema."""
    site = team.headwater.cli("sources", "add", "--type", "http-api", "--name", "Website")

    run_program("website.py", team.headwater.url, site["write_key"])

    (printed,) = team.rows("SELECT * FROM website.label_printed")
    (track,) = team.rows("SELECT * FROM website.tracks")
    (user,) = team.rows("SELECT * FROM website.users")
    assert (printed["user_id"], printed["latency_ms"], printed["carrier"]) == ("ana", 12.5, "north")
    assert (track["event"], track["event_text"]) == ("label_printed", "Label Printed")
    assert (user["plan"], user["company_seats"]) == ("scale", 40)


def test_the_status_tells_it_all(team: Team) -> None:
    """The team sees where it sends to, with the key masked, and what came of each run."""
    app_id = team.app["app_id"]

    status = team.headwater.cli("extensions", "segment", "status", "--app", app_id)

    assert team.source["write_key"] not in str(status)
    assert status["payload_version"] == "current"
    assert status["messages"]["delivered"] == 2
