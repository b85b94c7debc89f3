"""One identify: how a user's API activity reaches the tools where the company works.

The team adds the API-analytics source, copies its write key into the Segment extension as the partner
key, and connects a warehouse and a webhook. Nothing else in the world needs to know about Headwater.
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
            return connection.execute(question).fetch_arrow_table().to_pylist()

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
    quiet = {"HEADWATER_EXTENSIONS__SYNC_EVERY_S": "3600", "HEADWATER_WAREHOUSE__SYNC_EVERY_S": "3600"}
    with receiving() as webhook, serving(folder / "data", private | quiet) as server:
        app = server.cli("apps", "list")[0]
        source = server.cli("sources", "add", "--type", "api-analytics", "--name", "Headwater API Analytics")
        file = str(folder / "warehouse.duckdb")
        warehouse = server.cli("warehouses", "add", "--type", "duckdb", "--set", f"path={file}")
        server.cli(
            "destinations", "add", "--type", "webhook", "--source", source["slug"], "--set", f"url={webhook.url}"
        )
        server.cli(
            "extensions", "segment", "connect", "--app", app["app_id"], "--partner-key", source["write_key"]
        )
        run_program("parcel_api.py", server.url, app["collector_application_id"])
        run_program("crm_sync.py", server.url, app["collector_application_id"])
        server.settle()
        yield Team(server, app, source, warehouse, webhook, file)
