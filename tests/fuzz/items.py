"""Spell one good item of each kind that clients send, for others to spoil.

Out: documents with every field that the doors know.
"""

from collections.abc import Mapping
from typing import Any

_MESSAGE = {
    "time": "2026-11-23T09:00:00.123Z",
    "headers": {"Content-Type": "application/json", "Host": "api.example.com", "X-Count": "1"},
    "body": {"items": [1, {"name": "box", "card": "4111 1111 1111 1111"}]},
    "transfer_encoding": "json",
    "ip_address": "192.0.2.7",
    "content_length": 123,
}
EVENT = {
    "request": {
        **_MESSAGE,
        "uri": "https://api.example.com/items/7?token=abc&page=2",
        "verb": "POST",
        "api_version": "1.0",
        "user_agent_string": "curl/8.5.0",
    },
    "response": {**_MESSAGE, "status": 201},
    "user_id": "user_1",
    "company_id": "company_1",
    "subscription_id": "sub_1",
    "anonymous_id": "anon_1",
    "session_token": "session_1",
    "trace_id": "trace_1",
    "action_name": "Bought",
    "direction": "Incoming",
    "weight": 3,
    "tags": "a,b",
    "blocked_by": "rule_1",
    "span": {"id": "1"},
    "metadata": {"plan": "gold", "seats": 3},
}
ACTION = {
    "action_name": "Clicked",
    "user_id": "user_1",
    "company_id": "company_1",
    "anonymous_id": "anon_1",
    "session_token": "session_1",
    "request": {
        "time": "2026-11-23T09:00:00Z",
        "uri": "https://www.example.com/pricing",
        "ip_address": "192.0.2.7",
        "user_agent_string": "Mozilla/5.0",
    },
    "metadata": {"button": "buy"},
}
USER = {
    "user_id": "user_1",
    "company_id": "company_1",
    "anonymous_id": "anon_1",
    "session_token": ["session_0", "session_1"],
    "modified_time": "2026-11-23T09:00:00Z",
    "ip_address": "192.0.2.7",
    "campaign": {"utm_source": "news"},
    "metadata": {"email": "a@example.com", "age": 30},
}
COMPANY = {
    "company_id": "company_1",
    "company_domain": "example.com",
    "modified_time": "2026-11-23T09:00:00Z",
    "session_token": "session_1",
    "metadata": {"plan": "gold"},
}
SUBSCRIPTION = {
    "subscription_id": "sub_1",
    "company_id": "company_1",
    "status": "active",
    "current_period_start": "2026-11-01T00:00:00Z",
    "current_period_end": "2026-12-01T00:00:00Z",
    "metadata": {"seats": 5},
}
COLLECTOR: Mapping[str, Mapping[str, Any]] = {
    "/v1/events": EVENT,
    "/v1/actions": ACTION,
    "/v1/users": USER,
    "/v1/companies": COMPANY,
    "/v1/subscriptions": SUBSCRIPTION,
}
MESSAGE = {
    "type": "track",
    "event": "Order Completed",
    "userId": "user_1",
    "anonymousId": "anon_1",
    "timestamp": "2026-11-23T09:00:00Z",
    "originalTimestamp": "2026-11-23T09:00:00Z",
    "sentAt": "2026-11-23T09:00:00Z",
    "context": {"ip": "192.0.2.7", "library": {"name": "x", "version": "1"}},
    "properties": {"revenue": 10.5, "products": [{"id": 1}]},
    "traits": {"email": "a@example.com"},
    "integrations": {"All": True},
}
_ATTRIBUTES = [
    {"key": "http.request.method", "value": {"stringValue": "GET"}},
    {"key": "url.path", "value": {"stringValue": "/items/7"}},
    {"key": "http.response.status_code", "value": {"intValue": "200"}},
]
SPAN = {
    "traceId": "5b8efff798038103d269b633813fc60c",
    "spanId": "eee19b7ec3c1b174",
    "name": "GET /items",
    "kind": 2,
    "startTimeUnixNano": "1764000000000000000",
    "endTimeUnixNano": "1764000001000000000",
    "attributes": _ATTRIBUTES,
    "status": {"code": 1},
}
LOG = {
    "timeUnixNano": "1764000000000000000",
    "severityNumber": 9,
    "body": {"stringValue": "GET /items/7 200"},
    "attributes": _ATTRIBUTES,
    "traceId": "5b8efff798038103d269b633813fc60c",
    "spanId": "eee19b7ec3c1b174",
}
RESOURCE = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
