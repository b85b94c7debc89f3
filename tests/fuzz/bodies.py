"""Spell one good body for each operation of the management and query API, for others to spoil.

Out: bodies by operation, as the OpenAPI document names it.
"""

from collections.abc import Mapping
from typing import Any

_FILTERS = {
    "all": [
        {"field": "response.status", "op": "gte", "value": 400},
        {"any": [
            {"field": "request.body.items.0.name", "op": "matches", "value": "a|b"},
            {"not": {"field": "metadata.plan", "op": "in", "value": ["a", "b"]}},
            {"field": "user.metadata.age", "op": "exists"},
        ]},
    ]
}  # fmt: skip
_COMMON = {
    "from": "-30d",
    "to": "now",
    "timezone": "Asia/Kathmandu",
    "population": "users",
}
_ABOUT_CALLS = {**_COMMON, "filters": _FILTERS}
_PAGE = {"limit": 5, "cursor": ""}
_QUERIES: Mapping[str, Mapping[str, Any]] = {
    "count": _ABOUT_CALLS,
    "timeseries": {
        **_ABOUT_CALLS, "measure": "p99_ms", "interval": "hour", "group_by": ["request.verb"],
        "top": 3,
    },
    "events": {**_ABOUT_CALLS, **_PAGE},
    "users": {**_ABOUT_CALLS, **_PAGE, "search": "a", "order_by": "-calls"},
    "companies": {**_ABOUT_CALLS, **_PAGE, "search": "a", "order_by": "-calls"},
    "user_timeline": {**_ABOUT_CALLS, **_PAGE, "user_id": "user_1", "kinds": ["call"]},
    "company_timeline": {**_ABOUT_CALLS, **_PAGE, "company_id": "acme", "kinds": ["profile"]},
    "actions": {
        **_COMMON, **_PAGE, "filters": {"field": "metadata.a", "op": "ne", "value": "b"},
    },
    "subscriptions": {**_COMMON, **_PAGE, "company_id": "company_1", "status": "active"},
    "rejects": {**_COMMON, **_PAGE, "kind": "event", "reason": "x"},
}  # fmt: skip
BODIES: Mapping[str, Mapping[str, Any]] = {
    "POST /api/v1/apps": {"name": "Shop", "timezone": "Europe/Berlin"},
    "POST /api/v1/sources": {"type": "http-api", "name": "Website", "payload_version": ""},
    "PATCH /api/v1/sources/{source}": {"name": "Website"},
    "POST /api/v1/sources/{source}/rules": {"type": "track", "event": "A", "name": "email"},
    "POST /api/v1/regulations": {"kind": "unsuppress", "user_ids": ["user_9"]},
    "POST /api/v1/apps/{app_id}/enrichments": {"source": "website"},
    "POST /api/v1/destinations": {
        "type": "webhook", "source": "website", "name": "Hook",
        "settings": {"url": "https://example.com/hook", "batch_size": "5"},
    },
    "POST /api/v1/destinations/{destination_id}/replay": {
        "from": "2026-11-01T00:00:00Z", "to": None,
    },
    "POST /api/v1/destinations/{destination_id}/replays": {
        "from": "2026-11-01T00:00:00Z", "to": None, "types": ["track"],
    },
    "PATCH /api/v1/destinations/{destination_id}": {
        "name": "Hook", "settings": {"url": "https://example.com/hook"}, "keeps_order": True,
        "filters": [{"kind": "sample", "share": 0.5, "when": {"all": []}}],
        "mappings": [{"action": "send", "fields": {"body": {"kind": "path", "path": "traits"}}}],
    },
    "POST /api/v1/destinations/{destination_id}/rotate-secret": {"keep_hours": 24},
    "POST /api/v1/destinations/{destination_id}/test": {"type": "track", "message": None},
    "POST /api/v1/destinations/{destination_id}/mappings/test": {
        "type": "track", "message": {"type": "track"}, "mapping": {"action": "send"},
    },
    "POST /api/v1/warehouses": {"type": "duckdb", "settings": {"path": "{new_file}"}},
    "PATCH /api/v1/warehouses/{warehouse_id}": {
        "name": "Own", "enabled": True, "schedule": "hourly", "excluded": ["website.tracks"],
    },
    "POST /api/v1/warehouses/{warehouse_id}/backfill": {"source": ""},
    "PUT /api/v1/apps/{app_id}/extensions/{type_}": {
        "partner_key": "{write_key}", "endpoint": "", "payload_version": "current",
    },
    "PUT /api/v1/apps/{app_id}/extensions/{type_}/schedule": {"schedule": "hourly"},
    "PUT /api/v1/apps/{app_id}/extensions/{type_}/audience": {"conditions": []},
    "POST /api/v1/apps/{app_id}/extensions/{type_}/test": {"user_id": "user_1"},
    "POST /api/v1/apps/{app_id}/extensions/{type_}/dead/resend": {"message_ids": ["hw-1"]},
    "POST /api/v1/apps/{app_id}/extensions/{type_}/backfills": {
        "first_day": "2026-11-01", "last_day": "2026-11-20",
    },
    "POST /api/v1/apps/{app_id}/cohorts": {
        "name": "Paying", "conditions": [{"field": "id", "op": "is", "value": "user_1"}],
    },
    "PUT /api/v1/apps/{app_id}/cohorts/{cohort}": {
        "name": "Paying", "conditions": [{"field": "calls", "op": "at_least", "value": 1}],
    },
    "POST /api/v1/apps/{app_id}/suppressed": {"user_id": "user_1"},
    "POST /api/v1/apps/{app_id}/suppressed/allow": {"user_id": "user_1"},
    "POST /api/v1/apps/{app_id}/identity/unlink": {
        "user_id": "user_1", "kind": "anonymous", "key": "anon_1", "reason": "a shared machine",
    },
    "POST /api/v1/apps/{app_id}/identity/link": {
        "user_id": "user_1", "kind": "anonymous", "key": "anon_1",
    },
    "PUT /api/v1/apps/{app_id}/profiles": {
        "success": {"statuses": ["2xx", "304"], "verb": "POST", "route": "/items/:id"},
        "lifecycle": {"new_days": 7, "dormant_days": 30},
    },
    "POST /api/v1/apps/{app_id}/stored-calls": {"offsets": [1, 2, 3]},
    "PUT /api/v1/apps/{app_id}/masking": {
        "mask": ["pin", "code"], "keep": ["token_type"], "fingerprint": ["account"],
        "emails": True, "ip_addresses": False,
    },
    "PUT /api/v1/apps/{app_id}/sampling": {
        "sample_rate": 50, "user_sample_rate": {"user_1": 10}, "company_sample_rate": {"c": 1},
        "regex_config": [
            {"conditions": [{"path": "request.route", "value": ".*health.*"}], "sample_rate": 0}
        ],
    },
    "POST /api/v1/apps/{app_id}/known-calls": {
        "call_ids": ["a", "b"], "from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z",
    },
    **{
        f"POST /api/v1/apps/{{app_id}}/query/{kind}": question
        for kind, question in _QUERIES.items()
    },
}  # fmt: skip
