"""The worked example: one identify, and what each column of its two rows must be."""

from datetime import UTC, datetime
from typing import Any

from headwater.warehouse.types import Kind
from tests.rooms.warehouse.support import a_message

RECEIVED = datetime(2026, 11, 23, 2, 20, 5, 250_000, UTC)
CORRECTED = datetime(2026, 11, 23, 2, 20, 2, 250_000, UTC)
LOADED = datetime(2026, 11, 23, 2, 45, tzinfo=UTC)

MESSAGE_ID = "hw-idn-12345-20261123"
IDENTIFY: dict[str, Any] = {
    "type": "identify",
    "messageId": MESSAGE_ID,
    "userId": "12345",
    "anonymousId": None,
    "sentAt": "2026-11-23T02:20:03.000Z",
    "originalTimestamp": "2026-11-23T02:20:00.000Z",
    "traits": {
        "id": "12345",
        "name": "Ada Byron",
        "email": "ada@acme.example",
        "username": "adab",
        "createdAt": "2024-01-02T03:04:05.000Z",
        "firstSeenTime": "2024-01-02T03:09:11.000Z",
        "lastSeenTime": "2026-11-23T01:59:58.120Z",
        "modifiedTime": "2026-11-22T10:00:00Z",
        "company": {
            "id": "67890",
            "companyDomain": "acme.example",
            "ttfhw_s": 306,
            "created": "2023-12-30T00:00:00Z",
            "metadata": {"plan": "scale", "seats": 40},
        },
        "dailyAggregation": {
            "date": "2026-11-22",
            "totalCalls": 1204,
            "errorRate": 0.013,
            "p95DurationMs": 182,
            "byStatus": {"2xx": 1188, "4xx": 12, "5xx": 4},
            "topRoutes": ["/v1/orders", "/v1/items"],
        },
        "campaign": {"utmSource": "newsletter"},
        "phone": None,
    },
    "context": {
        "ip": "203.0.113.7",
        "userAgent": "acme-sdk/2.1",
        "location": {"country": "DE", "city": "Berlin"},
        "library": {"name": "headwater", "version": "0.1.0"},
    },
    "integrations": {"All": True},
    "version": 2,
}

TIME, TEXT, INTEGER, FLOAT = Kind.TIMESTAMP, Kind.VARCHAR, Kind.INTEGER, Kind.FLOAT

SHARED: dict[str, tuple[Kind, object]] = {
    "received_at": (TIME, RECEIVED),
    "uuid_ts": (TIME, LOADED),
    "context_ip": (TEXT, "203.0.113.7"),
    "context_user_agent": (TEXT, "acme-sdk/2.1"),
    "context_location_country": (TEXT, "DE"),
    "context_location_city": (TEXT, "Berlin"),
    "context_library_name": (TEXT, "headwater"),
    "context_library_version": (TEXT, "0.1.0"),
    "name": (TEXT, "Ada Byron"),
    "email": (TEXT, "ada@acme.example"),
    "username": (TEXT, "adab"),
    "created_at": (TIME, datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
    "first_seen_time": (TIME, datetime(2024, 1, 2, 3, 9, 11, tzinfo=UTC)),
    "last_seen_time": (TIME, datetime(2026, 11, 23, 1, 59, 58, 120_000, UTC)),
    "modified_time": (TIME, datetime(2026, 11, 22, 10, tzinfo=UTC)),
    "company_id": (TEXT, "67890"),
    "company_company_domain": (TEXT, "acme.example"),
    "company_ttfhw_s": (INTEGER, 306),
    "company_created": (TIME, datetime(2023, 12, 30, tzinfo=UTC)),
    "company_metadata_plan": (TEXT, "scale"),
    "company_metadata_seats": (INTEGER, 40),
    "daily_aggregation_date": (TIME, datetime(2026, 11, 22, tzinfo=UTC)),
    "daily_aggregation_total_calls": (INTEGER, 1204),
    "daily_aggregation_error_rate": (FLOAT, 0.013),
    "daily_aggregation_p95_duration_ms": (INTEGER, 182),
    "daily_aggregation_by_status_2xx": (INTEGER, 1188),
    "daily_aggregation_by_status_4xx": (INTEGER, 12),
    "daily_aggregation_by_status_5xx": (INTEGER, 4),
    "daily_aggregation_top_routes": (TEXT, '["/v1/orders","/v1/items"]'),
    "campaign_utm_source": (TEXT, "newsletter"),
}
IDENTIFIES: dict[str, tuple[Kind, object]] = {
    "id": (TEXT, MESSAGE_ID),
    "user_id": (TEXT, "12345"),
    "sent_at": (TIME, datetime(2026, 11, 23, 2, 20, 3, tzinfo=UTC)),
    "original_timestamp": (TIME, datetime(2026, 11, 23, 2, 20, tzinfo=UTC)),
    "timestamp": (TIME, CORRECTED),
    **SHARED,
}
USERS: dict[str, tuple[Kind, object]] = {"id": (TEXT, "12345"), **SHARED}
MESSAGE = a_message(IDENTIFY, received_at=RECEIVED, timestamp=CORRECTED)
