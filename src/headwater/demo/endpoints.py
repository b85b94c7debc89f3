"""The endpoints of the invented payments API: how often, how fast, how they fail.

In: nothing. Out: a catalogue, and for one call its path, bodies and duration. Pure: randomness
comes in as a `Random`.
"""

import random
from collections.abc import Mapping
from typing import Any

import msgspec

HOST = "https://api.ternpay.example"


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One verb and path template; `{}` stands for an id."""

    verb: str
    path: str
    share: float
    """Part of an ordinary user's calls, relative to the others."""
    median_ms: float
    resource: str = ""
    """Prefix of ids: `ch` gives `ch_9fK…`."""
    failures: Mapping[int, float] = {}
    """Probability by status."""

    @property
    def ok_status(self) -> int:
        return 201 if self.verb == "POST" else 200


_CLIENT_FAULTS = {400: 0.012, 401: 0.004, 429: 0.004, 500: 0.002}

ENDPOINTS = (
    Endpoint(verb="GET", path="/v1/account", share=2, median_ms=28, failures=_CLIENT_FAULTS),
    Endpoint(
        verb="POST", path="/v1/charges", share=22, median_ms=180, resource="ch",
        failures={402: 0.055, 400: 0.02, 429: 0.006, 500: 0.003},
    ),
    Endpoint(
        verb="GET", path="/v1/charges/{}", share=15, median_ms=42, resource="ch",
        failures={404: 0.015, 500: 0.001},
    ),
    Endpoint(verb="GET", path="/v1/charges", share=8, median_ms=120, failures=_CLIENT_FAULTS),
    Endpoint(
        verb="POST", path="/v1/charges/{}/capture", share=6, median_ms=160, resource="ch",
        failures={409: 0.02, 500: 0.003},
    ),
    Endpoint(
        verb="POST", path="/v1/refunds", share=3, median_ms=210, resource="re",
        failures={409: 0.03, 400: 0.01},
    ),
    Endpoint(verb="GET", path="/v1/refunds/{}", share=2, median_ms=40, resource="re"),
    Endpoint(
        verb="POST", path="/v1/customers", share=6, median_ms=85, resource="cus",
        failures=_CLIENT_FAULTS,
    ),
    Endpoint(
        verb="GET", path="/v1/customers/{}", share=9, median_ms=35, resource="cus",
        failures={404: 0.02},
    ),
    Endpoint(verb="POST", path="/v1/tokens", share=7, median_ms=60, resource="tok"),
    Endpoint(verb="GET", path="/v1/balance", share=5, median_ms=30),
    Endpoint(verb="GET", path="/v1/events", share=4, median_ms=95, failures=_CLIENT_FAULTS),
    Endpoint(verb="GET", path="/v1/payouts", share=2, median_ms=380, resource="po"),
    Endpoint(
        verb="GET", path="/v1/reports/{}", share=1, median_ms=1_900, resource="rep",
        failures={504: 0.05, 500: 0.03},
    ),
    Endpoint(
        verb="POST", path="/v1/disputes/{}/evidence", share=0.5, median_ms=320, resource="dp",
        failures={400: 0.08},
    ),
)  # fmt: skip
ACCOUNT = ENDPOINTS[0]
CHARGE = ENDPOINTS[1]
EVENTS = ENDPOINTS[11]
WEBHOOKS = Endpoint(
    verb="POST", path="/v1/webhook_endpoints", share=0, median_ms=110, resource="we"
)
SHARES = tuple(endpoint.share for endpoint in ENDPOINTS)

_CURRENCIES = ("eur", "usd", "gbp", "sek", "jpy")
_ERRORS = {
    400: "parameter_missing",
    401: "invalid_api_key",
    402: "card_declined",
    404: "resource_missing",
    409: "already_processed",
    429: "rate_limited",
}


def make_id(draw: random.Random, prefix: str) -> str:
    """Return an id such as `ch_3Qm81…`."""
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789"
    return f"{prefix}_{''.join(draw.choices(letters, k=16))}"


def make_uri(draw: random.Random, endpoint: Endpoint) -> str:
    """Return the absolute URI of one call."""
    path = endpoint.path.replace("{}", make_id(draw, endpoint.resource or "id"))
    query = "?limit=25" if endpoint.verb == "GET" and not endpoint.path.endswith("}") else ""
    return f"{HOST}{path}{query}"


def make_bodies(
    draw: random.Random, endpoint: Endpoint, status: int
) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """Return the request's and the response's body."""
    asked = _request_body(draw, endpoint) if endpoint.verb == "POST" else None
    if status >= 400:  # noqa: PLR2004 - HTTP's own boundary
        code = _ERRORS.get(status, "internal_error")
        return asked, {"error": {"type": code, "message": f"The request failed: {code}."}}
    answered = {"object": endpoint.path.split("/")[2].rstrip("s"), "livemode": True}
    if endpoint.resource:
        answered["id"] = make_id(draw, endpoint.resource)
    return asked, {**(asked or {}), **answered}


def _request_body(draw: random.Random, endpoint: Endpoint) -> dict[str, Any]:
    if endpoint is WEBHOOKS:
        return {"url": "https://hooks.example/ternpay", "enabled_events": ["charge.succeeded"]}
    if endpoint.resource == "cus":
        return {"description": "created by the API", "metadata": {"tier": draw.choice("abc")}}
    return {"amount": draw.randrange(100, 250_000, 5), "currency": draw.choice(_CURRENCIES)}
