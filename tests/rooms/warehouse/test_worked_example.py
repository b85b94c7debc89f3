"""The worked example: one identify, row by row and type by type, in a real DuckDB."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.rooms.warehouse.support import File, a_message

RECEIVED = datetime(2026, 11, 23, 2, 20, 5, 250_000, UTC)
CORRECTED = datetime(2026, 11, 23, 2, 20, 2, 250_000, UTC)
LOADED = datetime(2026, 11, 23, 2, 45, tzinfo=UTC)

IDENTIFY: dict[str, Any] = {
    "type": "identify",
    "messageId": "hw-idn-12345-20261123",
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

TIME, TEXT, INTEGER, FLOAT = "TIMESTAMP WITH TIME ZONE", "VARCHAR", "BIGINT", "DOUBLE"

SHARED: dict[str, tuple[str, object]] = {
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
IDENTIFIES = {
    "id": (TEXT, "hw-idn-12345-20261123"),
    "user_id": (TEXT, "12345"),
    "sent_at": (TIME, datetime(2026, 11, 23, 2, 20, 3, tzinfo=UTC)),
    "original_timestamp": (TIME, datetime(2026, 11, 23, 2, 20, tzinfo=UTC)),
    "timestamp": (TIME, CORRECTED),
    **SHARED,
}
USERS = {"id": (TEXT, "12345"), **SHARED}


def _types(columns: dict[str, tuple[str, object]]) -> dict[str, str]:
    return {name: kind for name, (kind, _) in columns.items()}


def _values(columns: dict[str, tuple[str, object]]) -> dict[str, object]:
    return {name: value for name, (_, value) in columns.items()}


def _load_identify(file: File, loaded_at: datetime = LOADED) -> None:
    message = a_message(IDENTIFY, received_at=RECEIVED, timestamp=CORRECTED)
    file.load(message, loaded_at=loaded_at)


def test_the_identify_has_one_row_of_35_columns(tmp_path: Path) -> None:
    """`identifies` holds each value under its name and with its type, and nothing else."""
    file = File(tmp_path)
    _load_identify(file)
    assert len(IDENTIFIES) == 35
    assert file.types("identifies") == _types(IDENTIFIES)
    assert file.table("identifies") == [_values(IDENTIFIES)]


def test_the_user_has_one_row_of_31_columns(tmp_path: Path) -> None:
    """`users` holds the latest state under the user's own id."""
    file = File(tmp_path)
    _load_identify(file)
    assert len(USERS) == 31
    assert file.types("users") == _types(USERS)
    assert file.table("users") == [_values(USERS)]


def test_loading_it_again_changes_nothing(tmp_path: Path) -> None:
    """The same message, loaded at the same instant or later, is one row in each table."""
    file = File(tmp_path)
    _load_identify(file)
    before = file.table("identifies"), file.table("users")
    _load_identify(file)
    assert (file.table("identifies"), file.table("users")) == before
    _load_identify(file, datetime(2026, 11, 23, 3, 45, tzinfo=UTC))
    assert (len(file.table("identifies")), len(file.table("users"))) == (1, 1)


def test_the_form_of_2019_adds_a_column(tmp_path: Path) -> None:
    """`company` as a bare string becomes a column of its own; `company_id` keeps its value."""
    file = File(tmp_path)
    _load_identify(file)
    day = datetime(2026, 11, 24, 2, 20, tzinfo=UTC)
    traits = {"company": "67890", "last24HourAggResults": {"totalCalls": 7}}
    old = {**IDENTIFY, "messageId": "hw-idn-12345-20261124", "traits": traits}
    file.load(a_message(old, received_at=day))
    assert file.types("identifies")["company"] == TEXT
    (user,) = file.table("users")
    assert (user["company"], user["company_id"]) == ("67890", "67890")
    assert user["last24_hour_agg_results_total_calls"] == 7
    assert user["daily_aggregation_total_calls"] == 1204
    assert user["received_at"] == day


def test_a_track_fills_two_tables(tmp_path: Path) -> None:
    """`tracks` and the event's own table, whose property `id` is dropped."""
    file = File(tmp_path)
    properties = {"id": "p1", "status_code": 200, "latencyMS": 12.5, "Tags": ["a"]}
    body = {"type": "track", "messageId": "m1", "userId": "u", "event": "API Called"}
    file.load(a_message({**body, "properties": properties}))
    (track,) = file.table("tracks")
    assert (track["event"], track["event_text"]) == ("api_called", "API Called")
    assert "status_code" not in track
    types = file.types("api_called")
    assert [types[c] for c in ("status_code", "latency_ms", "tags")] == [INTEGER, FLOAT, TEXT]
    (called,) = file.table("api_called")
    assert called["id"] == "m1"
    assert (called["status_code"], called["latency_ms"], called["tags"]) == (200, 12.5, '["a"]')


def test_a_group_fills_groups_and_accounts(tmp_path: Path) -> None:
    """`groups` by message, `accounts` by group."""
    file = File(tmp_path)
    body = {"type": "group", "messageId": "m1", "userId": "u", "groupId": "67890"}
    file.load(a_message({**body, "traits": {"plan": "scale"}}))
    (group,) = file.table("groups")
    assert (group["id"], group["group_id"], group["plan"]) == ("m1", "67890", "scale")
    (account,) = file.table("accounts")
    assert (account["id"], account["plan"]) == ("67890", "scale")
    assert "user_id" not in account


def test_only_our_schema_and_the_loaders_notes_remain(tmp_path: Path) -> None:
    """No staging schema, no child tables, no scratch files."""
    file = File(tmp_path)
    _load_identify(file)
    assert {name.partition(".")[2] for name in file.tables()} == {
        "identifies",
        "users",
        "_dlt_loads",
        "_dlt_version",
    }
    assert [path.name for path in tmp_path.iterdir()] == ["warehouse.duckdb"]
