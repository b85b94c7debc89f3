"""The real `segment-analytics-python` library against the Tracking API; only `host` differs."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from segment.analytics.client import Client

from tests.support.tracking_server import Fault, TrackingServer, tracking_server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[TrackingServer]:
    with tracking_server(tmp_path) as running:
        yield running


class Customer:
    """A program that uses the library, and what the library told it went wrong."""

    def __init__(self, server: TrackingServer, key: str = "", **options: Any) -> None:
        self.errors: list[str] = []
        self.client = Client(
            key or server.source.write_key,
            host=server.url + "/",
            on_error=lambda error, _items: self.errors.append(str(error)),
            **{"upload_interval": 0.05, **options},
        )

    def finish(self) -> None:
        """Wait until everything was sent; in `sync_mode` it was, and `join` would break."""
        if not self.client.sync_mode:
            self.client.flush()
            self.client.join()


MODES = [{}, {"gzip": True}, {"sync_mode": True}, {"sync_mode": True, "gzip": True}]


@pytest.mark.parametrize("options", MODES)
def test_all_six_calls_arrive(server: TrackingServer, options: dict[str, Any]) -> None:
    """Sent at once or in the background, packed or not: each call once, whole, in order."""
    customer = Customer(server, **options)
    context = {"ip": "203.0.113.7"}
    customer.client.identify(7, {"plan": "pro", "seats": Decimal("4.5")}, context=context)
    customer.client.track("u", "Paid", {"at": date(2024, 1, 2), "tags": {"a"}})
    customer.client.page("u", "Docs", "Home", {"url": "https://example.com"})
    customer.client.screen("u", "Docs", "Main", {})
    customer.client.group("u", "g-1", {"name": "Parcel"})
    customer.client.alias("old", "u")
    customer.finish()
    assert customer.errors == []
    stored = server.messages()
    assert [message.type for message in stored] == [
        "identify",
        "track",
        "page",
        "screen",
        "group",
        "alias",
    ]
    identify, track, page, _, group, alias = (message.body for message in stored)
    assert identify["userId"] == "7"
    assert identify["traits"] == {"plan": "pro", "seats": 4.5}
    assert identify["context"]["ip"] == "203.0.113.7"
    assert identify["context"]["library"]["name"] == "analytics-python"
    assert track["properties"] == {"at": "2024-01-02", "tags": ["a"]}
    assert (page["category"], page["name"]) == ("Docs", "Home")
    assert group["groupId"] == "g-1"
    assert (alias["previousId"], alias["userId"]) == ("old", "u")


def test_its_nulls_are_absent(server: TrackingServer) -> None:
    """The library writes null for every argument that was left out."""
    customer = Customer(server)
    customer.client.page("u")
    customer.finish()
    body = server.messages()[0].body
    assert not {"anonymousId", "name", "category", "writeKey"} & body.keys()
    assert None not in body.values()


def test_its_times_become_utc_with_milliseconds(server: TrackingServer) -> None:
    """Import of an old message: its time stands, but for the way it took."""
    customer = Customer(server)
    customer.client.identify("u", timestamp=datetime(2020, 5, 1, 10, tzinfo=UTC))
    customer.finish()
    message = server.messages()[0]
    assert message.body["originalTimestamp"] == "2020-05-01T10:00:00.000Z"
    late_s = (message.timestamp - datetime(2020, 5, 1, 10, tzinfo=UTC)).total_seconds()
    assert 0 <= late_s < 10


def test_250_calls_arrive_in_three_requests(server: TrackingServer) -> None:
    """The library sends a hundred at a time, over a kept connection; all are stored, once."""
    customer = Customer(server, upload_interval=0.5)
    for number in range(250):
        customer.client.track("u", "Counted", {"n": number})
    customer.finish()
    assert customer.errors == []
    assert sorted(m.body["properties"]["n"] for m in server.messages()) == list(range(250))
    assert len(server.requests) == 3


@pytest.mark.parametrize("stored", [False, True])
def test_after_a_500_a_call_is_stored_once(server: TrackingServer, stored: bool) -> None:
    """The library tries again; when the first try had worked after all, it is recognised."""
    server.faults.extend([Fault(500, stored=stored), Fault(502, stored=stored)])
    customer = Customer(server)
    customer.client.identify("u", {"plan": "pro"}, message_id="m-1")
    customer.finish()
    assert customer.errors == []
    assert Counter(message.message_id for message in server.messages()) == {"m-1": 1}
    assert [request.get("x-retry-count") for request in server.requests] == [None, "1", "2"]


def test_a_429_is_honoured(server: TrackingServer) -> None:
    """With `Retry-After: 1` the library waits for a second, then everything is stored."""
    server.faults.append(Fault(429, {"Retry-After": "1"}))
    customer = Customer(server)
    for number in range(3):
        customer.client.track("u", "Counted", {"n": number})
    customer.finish()
    assert customer.errors == []
    assert sorted(m.body["properties"]["n"] for m in server.messages()) == [0, 1, 2]


def test_a_wrong_key_is_reported_to_the_program(server: TrackingServer) -> None:
    """`on_error` hears which key is wrong; the original would have said success."""
    customer = Customer(server, key="no-such-key")
    customer.client.identify("u")
    customer.finish()
    assert len(customer.errors) == 1
    assert "invalid_write_key" in customer.errors[0]
    assert len(server.requests) == 1, "a wrong key must not be tried again"


def test_a_call_that_cannot_be_kept_costs_no_other(server: TrackingServer) -> None:
    """A message whose id is too long is refused alone; its neighbours in the batch stay."""
    customer = Customer(server, upload_interval=0.5)
    customer.client.track("u", "Good", {"n": 1})
    customer.client.track("u", "Bad", {"n": 2}, message_id="m" * 101)
    customer.client.track("u", "Good", {"n": 3})
    customer.finish()
    assert customer.errors == []
    assert [m.body["properties"]["n"] for m in server.messages()] == [1, 3]
