"""Measure how soon a call is told: from the call to the changed identify at a webhook.

In: nothing. Out: seconds, with the schedule `live` and with `every 1 minute`. One server has the
whole way inside: collector, ingest, profiles, the Segment extension, the built-in source, and a
webhook as its destination. A user calls again and again, and the identify counts when its
numbers hold the call.
"""

import os
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.support.eventually import eventually
from tests.support.server import Server, serving
from tests.support.webhook import Receiver, receiving

_LIVE_TIMES = 8
_MINUTE_TIMES = 1
_PAUSE_S = 1.3
"""Between an identify and the next call, so that calls fall anywhere between two runs."""
_WITHIN_S = 180
_SETTINGS = {"HEADWATER_EGRESS__ALLOW": "127.0.0.0/8", "HEADWATER_EXTENSIONS__SYNC_EVERY_S": "3600"}


def run() -> dict[str, object]:
    """Measure both schedules on one server."""
    with (
        tempfile.TemporaryDirectory() as folder,
        receiving() as receiver,
        serving(Path(folder), _SETTINGS) as server,
    ):
        way = Way(server, receiver)
        way.measure("live", 1)  # with what was due before
        live = way.measure("live", _LIVE_TIMES)
        minute = way.measure("every 1 minute", _MINUTE_TIMES)
    return {
        "live_s_median": round(statistics.median(live), 2),
        "live_s_most": round(max(live), 2),
        "every_minute_s_most": round(max(minute), 2),
        "load_average": os.getloadavg()[0],
    }


class Way:
    """One app, connected to the built-in source and from there to the receiver."""

    def __init__(self, server: Server, receiver: Receiver) -> None:
        self._server = server
        self._receiver = receiver
        self._calls = 0
        app = server.cli("apps", "list")[0]
        self._headers = {"X-Moesif-Application-Id": app["collector_application_id"]}
        self._extension = f"/api/v1/apps/{app['app_id']}/extensions/segment"
        new = {"type": "api-analytics", "name": "API"}
        source = server.api("POST", "/api/v1/sources", new)
        hook = {"type": "webhook", "source": source["id"], "settings": {"url": receiver.url}}
        server.api("POST", "/api/v1/destinations", hook)
        server.api("PUT", self._extension, {"partner_key": source["write_key"]})

    def measure(self, schedule: str, times: int) -> list[float]:
        """Return how long each call took to be told."""
        self._server.api("PUT", f"{self._extension}/schedule", {"schedule": schedule})
        return [self._tell_s() for _ in range(times)]

    def _tell_s(self) -> float:
        time.sleep(_PAUSE_S)
        self._calls += 1
        began_s = time.monotonic()
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        event = {
            "request": {"time": at, "verb": "GET", "uri": "https://api.example.com/items"},
            "response": {"time": at, "status": 200},
            "user_id": "ann",
        }
        answer = self._server.ask("POST", "/v1/events", event, self._headers)
        assert answer.status == 201, answer.data
        eventually(self._is_told, within_s=_WITHIN_S)
        return time.monotonic() - began_s

    def _is_told(self) -> bool:
        if not self._receiver.received:
            return False
        newest = self._receiver.received[-1].json
        told: int = newest["traits"]["last24HourAggResults"]["totalCalls"]
        return newest["userId"] == "ann" and told == self._calls
