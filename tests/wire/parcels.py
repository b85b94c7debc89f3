"""The parcel API: what each host program serves with its framework, and what must be kept of it.

Every program answers the same requests of the same customer, so that every client library is held
to the same account. In: what a client does differently. Out: expected calls, in the form of the
events report.
"""

import base64
from datetime import datetime
from typing import Any
from unittest.mock import ANY

from headwater.collector import MARK
from tests.support.clients import Recording

PAGE = "<p>Zoë is welcome</p>"
FORM = f"user=ana&password={MARK}"
PEOPLE: list[tuple[str, str, dict[str, Any]]] = [
    ("company", "acme", {"company_id": "acme"}),
    ("company", "parcel", {"company_id": "parcel", "company_domain": "parcel.example"}),
    ("user", "ana", {"company_id": "parcel", "metadata": {"name": "Ana"}}),
    ("user", "bob", {}),
    ("user", "eve", {}),
]
_ACTIVE = {"company_id": "parcel", "status": "active"}
SUBSCRIPTIONS: list[tuple[str, str, dict[str, Any]]] = [
    ("subscription", "sub_1", _ACTIVE | {"metadata": {"seats": 40}}),
    ("subscription", "sub_2", _ACTIVE),
]
_SAME_IN_ALL: dict[str, Any] = {
    "client": {"name": "parcel-python", "version": "2.1.0", "kind": "sdk"},
    "user_id": "ana",
    "company_id": "parcel",
    "anonymous_id": "",
    "direction": "Incoming",
    "blocked_by": "",
    "action_name": "",
    "trace_id": "",
    "weight": 1,
    "flags": [],
    "metadata": {"dc": "eu", "secret": MARK},
    "extra": None,
}
_CUSTOMER = {
    "host": "api.parcel.example",
    "user-agent": "parcel-python/2.1.0",
    "authorization": MARK,
    "x-developer": "ana",
    "x-forwarded-for": "203.0.113.7",
    "x-moesif-transaction-id": ANY,
}
_REQUEST = {
    "host": "api.parcel.example",
    "ip_address": "203.0.113.7",
    "api_version": "2.1",
}


def expected_label(
    *, request: dict[str, str], response: dict[str, str], sizes: tuple[int, int], **other: Any
) -> dict[str, Any]:
    """Return the call that makes a label; `request` and `response` are further headers."""
    return {
        **_SAME_IN_ALL,
        "request": _REQUEST | {
            "verb": "POST",
            "route": "/v2/labels",
            "uri": f"http://api.parcel.example/v2/labels?dry=1&api_key={MARK}",
            "headers": _CUSTOMER | {"content-type": "application/json"} | request,
            "body": {"weight_g": 420, "password": MARK},
            "transfer_encoding": "json",
            "bytes": sizes[0],
        },
        "response": {
            "status": 201,
            "status_class": "2xx",
            "headers": {"x-moesif-transaction-id": ANY} | response,
            "body": {"id": "lb_1", "weight_g": 420},
            "transfer_encoding": "json",
            "bytes": sizes[1],
        },
        **other,
    }  # fmt: skip


def seconds_between(earlier: str, later: str) -> float:
    """Return how long after one time another is."""
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()


def check_clock(call: dict[str, Any]) -> None:
    """Fail when a call of this very moment has times or a duration that cannot be true."""
    assert 0 <= seconds_between(call["request"]["time"], call["received_at"]) < 60
    assert 0 <= call["duration_ms"] < 10_000


def check_secrets(kept: Recording) -> None:
    """Fail when a planted secret is in what can be asked for, or as it was in a file on disk."""
    assert b"planted" in b"".join(exchange.unpacked for exchange in kept.exchanges)
    assert "planted" not in kept.text()
    assert kept.files_with(b"planted") == []


def text_of(side: dict[str, Any]) -> str:
    """Return the text of a request or response whose body is no JSON: these come as base64."""
    assert side["transfer_encoding"] == "base64"
    return base64.b64decode(side["body"]).decode()


def named_in(call: dict[str, Any], like: dict[str, Any]) -> dict[str, Any]:
    """Return of a call what `like` names, since the report may say more than a test knows."""
    return {
        name: named_in(call[name], value)
        if name in ("request", "response", "client")
        else call[name]
        for name, value in like.items()
    }
