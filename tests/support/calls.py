"""Make API calls and log entries for tests: valid ones; a test changes what it is about."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from headwater.eventlog import Entry
from headwater.ingest.batch import decode_entries
from headwater.ingest.heads import Call
from headwater.ingest.rows import to_call_lines
from headwater.ingest.steps import put_client
from headwater.model import ApiCall, Record, note_headers

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def make_call(call_id: str = "call_1", **changes: Any) -> ApiCall:
    """Return a call that a collector could have accepted."""
    plain = ApiCall(
        app_id="app_1",
        call_id=call_id,
        time=NOON,
        received_at=NOON,
        verb="GET",
        uri="https://api.example.com/items/7?page=2",
        status=200,
        duration_ms=12.5,
        user_id="user_1",
        company_id="company_1",
        ip_address="192.0.2.1",
        request_headers={"user-agent": "stripe-python/5.0.1"},
    )
    call = msgspec.structs.replace(plain, **changes)
    note_headers(call)
    return call


def make_calls(count: int, **changes: Any) -> list[ApiCall]:
    """Return calls with different ids."""
    return [make_call(f"call_{number}", **changes) for number in range(count)]


def encode_entry(records: Iterable[Record]) -> bytes:
    """Return the data of one log entry."""
    return b"\n".join(msgspec.json.encode(record) for record in records)


def in_hand(*calls: ApiCall, offset: int = 1) -> list[Call]:
    """Return calls as ingest has them in hand, before any step."""
    return decode_entries([Entry(offset, encode_entry(calls), NOON)]).calls


def call_lines(calls: Iterable[ApiCall], offset: int = 1) -> bytes:
    """Return rows for `landing`, with the client but without what other steps would add."""
    in_order = in_hand(*calls, offset=offset)
    for call in in_order:
        put_client(call)
    return to_call_lines(in_order)
