"""Make events as SDKs send them: about 2.3 KB each, hard to compress, every one with its own id.

In: a seed. Out: gzip-compressed batches, made before the clock starts, because the machine that
sends the load is the one that is measured. Ids, tokens, e-tags and prices are random; what repeats
is what repeats in real traffic: names of headers and fields, hosts, routes, agents, users.
"""

import json
import random
import string
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from isal import igzip

EVENTS_PER_BATCH = 50
_USERS, _COMPANIES = 2_000, 100
_TEMPLATES = 1_000
_LETTERS = string.ascii_letters + string.digits
_WORDS = [
    "please",
    "leave",
    "at",
    "the",
    "front",
    "door",
    "gift",
    "wrap",
    "fragile",
    "invoice",
    "call",
    "before",
    "noon",
]
_ROUTES = (
    ("GET", "/v1/orders/{}"), ("POST", "/v1/orders"), ("GET", "/v1/orders/{}/items"),
    ("GET", "/v1/customers/{}"), ("POST", "/v1/payments"), ("GET", "/v1/products?page={}&q=shoes"),
    ("DELETE", "/v1/carts/{}"), ("PUT", "/v1/customers/{}/address"),
)  # fmt: skip
_AGENTS = (
    "shop-python/3.1.0", "shop-node/2.4.1", "python-requests/2.32.3", "axios/1.7.2", "curl/8.5.0",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36",
)  # fmt: skip
_ID, _TIME = "@id-of-the-event@", "@time-of-the-event@"


class Corpus:
    """A supply of batches."""

    def __init__(self, seed: int = 11) -> None:
        self._draw = random.Random(seed)
        events = [json.dumps(self._event()).encode() for _ in range(_TEMPLATES)]
        self._parts = [event.split(_TIME.encode()) for event in events]
        self.event_bytes = sum(map(len, events)) // len(events)

    def batches(self, count: int) -> Iterator[bytes]:
        """Return gzip-compressed batches of events that happen now."""
        for _ in range(count):
            now = _now()
            events = [
                self._fresh(parts, now)
                for parts in self._draw.choices(self._parts, k=EVENTS_PER_BATCH)
            ]
            yield igzip.compress(b"[" + b",".join(events) + b"]", compresslevel=1)

    def singles(self, count: int) -> Iterator[bytes]:
        """Return posts of one event each, plain JSON."""
        for _ in range(count):
            yield self._fresh(self._draw.choice(self._parts), _now())

    def _fresh(self, parts: list[bytes], now: bytes) -> bytes:
        return now.join(parts).replace(_ID.encode(), str(uuid.uuid4()).encode())

    def _text(self, length: int) -> str:
        return "".join(self._draw.choices(_LETTERS, k=length))

    def _event(self) -> dict[str, Any]:
        draw = self._draw
        verb, route = draw.choice(_ROUTES)
        user, request_id = draw.randrange(_USERS), self._text(32)
        return {
            "request": {
                "time": _TIME, "verb": verb,
                "uri": f"https://api.shop.example{route.format(draw.randrange(10**6))}",
                "headers": self._request_headers(request_id),
                "ip_address": f"203.0.{draw.randrange(99)}.{draw.randrange(250)}",
                "body": self._order(4) if verb in {"POST", "PUT"} else None,
                "transfer_encoding": "json",
            },
            "response": {
                "time": _TIME,
                "status": draw.choices((200, 201, 400, 404, 500), (80, 10, 4, 4, 2))[0],
                "headers": self._response_headers(request_id),
                "body": self._order(9), "transfer_encoding": "json",
            },
            "user_id": f"user_{user}", "company_id": f"company_{user % _COMPANIES}",
            "metadata": {"region": "eu-1", "trace": self._text(16)},
            "direction": "Incoming", "weight": 1, "transaction_id": _ID,
        }  # fmt: skip

    def _request_headers(self, request_id: str) -> dict[str, str]:
        return {
            "Host": "api.shop.example", "User-Agent": self._draw.choice(_AGENTS),
            "Accept": "application/json", "Accept-Encoding": "gzip, deflate",
            "Authorization": f"Bearer {self._text(60)}", "Content-Type": "application/json",
            "X-Request-Id": request_id, "Content-Length": str(self._draw.randrange(900)),
        }  # fmt: skip

    def _response_headers(self, request_id: str) -> dict[str, str]:
        return {
            "Content-Type": "application/json", "Content-Length": str(self._draw.randrange(900)),
            "ETag": f'W/"{self._text(27)}"', "X-Request-Id": request_id,
            "Cache-Control": "no-store", "Server": "nginx", "Date": "Mon, 23 Nov 2026 09:00:00 GMT",
        }  # fmt: skip

    def _order(self, lines: int) -> dict[str, Any]:
        draw = self._draw
        return {
            "id": f"ord_{self._text(14)}", "object": "order", "currency": "EUR",
            "items": [
                {"sku": self._text(8), "qty": draw.randrange(9), "name": f"Item {self._text(8)}",
                 "price": draw.randrange(99_999) / 100, "batch": self._text(12)}
                for _ in range(lines)
            ],
            "note": " ".join(draw.choices(_WORDS, k=10)), "created": 1_764_000_000,
        }  # fmt: skip


def _now() -> bytes:
    return datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds").encode()
