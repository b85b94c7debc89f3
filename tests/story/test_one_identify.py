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
from tests.support.webhook import Received, Receiver, receiving


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


@dataclass
class Told:
    """What the team saw, in the order in which it happened."""

    preview: list[dict[str, Any]]
    first: dict[str, Any]
    identify: dict[str, Any]
    user: dict[str, Any]
    webhook: Received
    again: dict[str, Any]
    full: dict[str, Any]
    after_more_calls: dict[str, Any]
    identifies: list[dict[str, Any]]
    newest_user: dict[str, Any]
    status: dict[str, Any]


@pytest.fixture(scope="module")
def told(team: Team) -> Told:
    """One day in the life of the extension."""
    segment = ("extensions", "segment")
    app = ("--app", team.app["app_id"])
    preview = team.headwater.cli(*segment, "preview", *app)
    first = team.sync()
    (identify,) = team.rows("SELECT * FROM headwater_api_analytics.identifies")
    (user,) = team.rows("SELECT * FROM headwater_api_analytics.users")
    webhook = eventually(lambda: team.webhook.received[:1])[0]
    again = team.sync()
    full = team.headwater.cli(*segment, "sync", *app, "--full")
    run_program("parcel_api.py", team.headwater.url, team.app["collector_application_id"])
    eventually(lambda: team.headwater.query(team.app["app_id"], "count")["count"] == 6)
    team.headwater.settle()
    after_more_calls = team.sync()
    identifies = team.rows("SELECT * FROM headwater_api_analytics.identifies")
    (newest_user,) = team.rows("SELECT * FROM headwater_api_analytics.users")
    status = team.headwater.cli(*segment, "status", *app)
    return Told(
        preview, first, identify, user, webhook, again, full,
        after_more_calls, identifies, newest_user, status,
    )  # fmt: skip


def test_the_preview_shows_what_will_be_sent(told: Told) -> None:
    """Before anything leaves the house, the team sees the exact messages."""
    (message,) = told.preview

    assert (message["type"], message["userId"]) == ("identify", "ana")
    assert message["traits"]["email"] == "ana@parcel.example"
    assert message["context"]["userAgent"] == "parcel-python/2.1.0"
    assert message["messageId"] == told.identify["id"]


def test_one_sync_sends_one_identify(told: Told) -> None:
    """One user changed: one message, delivered."""
    sent = told.first

    assert (sent["users_considered"], sent["sent"], sent["delivered"]) == (1, 1, 1)
    assert sent["failed"] == 0


def test_it_is_a_row_in_the_warehouse(told: Told) -> None:
    """Flat columns as Segment names them: who it is, the company, the activity."""
    row = told.identify

    assert (row["user_id"], row["email"]) == ("ana", "ana@parcel.example")
    assert (row["company_id"], row["company_metadata_plan"]) == ("parcel", "scale")
    assert row["last24_hour_agg_results_total_calls"] == 3
    assert row["last24_hour_agg_results_client_errors"] == 1
    assert '"/v2/labels/:id"' in row["last24_hour_agg_results_top_endpoints"]
    assert row["context_user_agent"] == "parcel-python/2.1.0"
    assert (told.user["id"], told.user["name"]) == ("ana", "Ana Example")
    assert told.user["username"] == "ana"


def test_it_is_a_signed_request_at_the_webhook(told: Told) -> None:
    """The same message, whole, at every enabled destination."""
    assert told.webhook.json["messageId"] == told.identify["id"]
    assert told.webhook.json["traits"]["company"]["metadata"]["plan"] == "scale"
    assert told.webhook.headers["webhook-signature"].startswith("v1,")


def test_nothing_new_sends_nothing(told: Told) -> None:
    """A second sync, and even a full one, sends no window twice."""
    assert (told.again["sent"], told.full["sent"]) == (0, 0)


def test_new_calls_send_a_new_window(told: Told) -> None:
    """Ana calls again: one more identify, and her row in `users` is the newest state."""
    assert told.after_more_calls["sent"] == 1
    assert len({row["id"] for row in told.identifies}) == len(told.identifies) == 2
    assert told.newest_user["last24_hour_agg_results_total_calls"] == 6


def test_the_status_tells_it_all(team: Team, told: Told) -> None:
    """The team sees what came of each run; the key is masked."""
    assert team.source["write_key"] not in str(told.status)
    assert told.status["settings"]["payload_version"] == "current"
    assert told.status["messages"]["delivered"] == 2
    assert told.status["secret_check"] == "accepted by the endpoint"


def test_a_wrong_key_is_noticed_before_it_is_saved(team: Team, told: Told) -> None:
    """The receiver is asked; what was connected stays."""
    wrong = team.headwater.ask(
        "PUT",
        f"/api/v1/apps/{team.app['app_id']}/extensions/segment",
        {"partner_key": "nobodys-key"},
        {
            "authorization": f"Bearer {team.headwater.card()['token']}",
            "content-type": "application/json",
        },
    )
    assert (wrong.status, wrong.json()["field"]) == (400, "partner_key")
    status = team.headwater.cli("extensions", "segment", "status", "--app", team.app["app_id"])
    assert status["settings"]["partner_key"] == told.status["settings"]["partner_key"]


def test_a_live_connection_tells_within_seconds(team: Team, told: Told) -> None:
    """From the call to the webhook, through ingest, sync, tracking and federation, unasked."""
    segment, app = ("extensions", "segment"), ("--app", team.app["app_id"])
    assert told.status["schedule"] == ""
    team.headwater.cli(*segment, "schedule", "live", *app)
    before = len(team.webhook.received)

    run_program("parcel_api.py", team.headwater.url, team.app["collector_application_id"])

    eventually(lambda: len(team.webhook.received) > before, within_s=60)
    assert team.webhook.received[-1].json["userId"] == "ana"
    team.headwater.cli(*segment, "schedule", "every 60m", *app)


def test_the_website_meets_the_api(team: Team) -> None:
    """Segment's own library sends to a second source; its rows stand in a schema of their own."""
    site = team.headwater.cli("sources", "add", "--type", "http-api", "--name", "Website")

    run_program("website.py", team.headwater.url, site["write_key"])

    (printed,) = team.rows("SELECT * FROM website.label_printed")
    (track,) = team.rows("SELECT * FROM website.tracks")
    (user,) = team.rows("SELECT * FROM website.users")
    assert (printed["user_id"], printed["latency_ms"], printed["carrier"]) == ("ana", 12.5, "north")
    assert (track["event"], track["event_text"]) == ("label_printed", "Label Printed")
    assert (user["plan"], user["company_seats"]) == ("scale", 40)
