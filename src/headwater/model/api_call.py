"""What the Collector API accepts: an API call, a change of a profile, or a rejected item.

These are the records of the `calls` stream of the log, one JSON object a line, told apart by `t`.
Secrets are masked before a record is made. Bodies and metadata stay raw JSON: nobody on the way
needs to look inside. Records hold no cycles, so the garbage collector need not visit them
(`gc=False`): ingest has tens of thousands of them in hand.
"""

from datetime import datetime
from typing import Literal

import msgspec
from msgspec import Raw

Direction = Literal["Incoming", "Outgoing", "Internal"]
ProfileKind = Literal["user", "company", "subscription"]

NO_JSON = Raw(b"")
"""An absent raw JSON value."""


class ApiCall(
    msgspec.Struct,
    kw_only=True,
    tag_field="t",
    tag="call",
    omit_defaults=True,
    gc=False,
):
    """One request and its response: first what ingest reads, then what only the store does."""

    app_id: str
    call_id: str
    """The client's `transaction_id`, else one made on arrival. The key of de-duplication."""
    time: datetime
    """When the request began, UTC."""
    received_at: datetime
    uri: str
    """As sent, with the values of secret query parameters masked."""
    user_id: str = ""
    company_id: str = ""
    anonymous_id: str = ""
    session_key: str = ""
    """Keyed fingerprint of the session token; the token itself is never kept."""
    ip_address: str = ""
    host: str = ""
    """Filled by ingest: of the URI, else of the header."""
    route: str = ""
    """As the client's framework knows it, else filled by ingest: `/items/:id`."""
    country: str = ""
    """This and the next three are filled by ingest."""
    client_name: str = ""
    client_version: str = ""
    client_kind: str = ""
    """`sdk`, `http`, `cli`, `tool`, `browser`, `notebook`, `ci`, `agent`, `bot` or `other`."""
    user_agent: str = ""
    """As the request's headers have it."""
    host_header: str = ""
    speaks_mcp: bool = False
    """A header of the request is of the Model Context Protocol."""
    flags: tuple[str, ...] = ()
    """What was unusual: `late`, `future`, `time_missing`, `time_unreadable`, `truncated`,
    `backfill`, …"""
    rest: Literal[0] = msgspec.field(default_factory=lambda: 0)
    """Where the head ends, in every record (see `HEAD_ENDS`)."""
    verb: str
    status: int = 0
    """0: no response was seen."""
    duration_ms: float = 0.0
    direction: Direction = "Incoming"
    weight: int = 1
    """How many calls this one stands for when the client samples."""
    action_name: str = ""
    blocked_by: str = ""
    api_version: str = ""
    trace_id: str = ""
    sdk: str = ""
    """Name and version of the library that reported the call."""
    request_headers: dict[str, str] = {}
    """Lower-case names."""
    response_headers: dict[str, str] = {}
    request_body: Raw = NO_JSON
    """JSON. Here and in `response_body` and `metadata`, a document that is a text, such as base64,
    is quoted twice: the store's engine takes one pair of quotes off."""
    response_body: Raw = NO_JSON
    request_encoding: str = ""
    """`base64` when the request body is base64 text, else empty (JSON)."""
    response_encoding: str = ""
    request_bytes: int = 0
    response_bytes: int = 0
    metadata: Raw = NO_JSON
    extra: Raw = NO_JSON
    """Fields that we do not know, as a JSON object: newer clients lose nothing."""


HEAD_ENDS = b',"rest":0'
"""What stands behind the head of a call's record. Its first occurrence does: a text before it would
have its quotes escaped, and nothing else is before it."""


def note_headers(call: ApiCall) -> None:
    """Put into the head what ingest wants of the request's headers: it reads no further."""
    headers = call.request_headers
    call.user_agent = headers.get("user-agent", "")
    call.host_header = headers.get("host", "")
    call.speaks_mcp = bool(headers.get("mcp-protocol-version") or headers.get("mcp-session-id"))


class ProfileUpdate(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag_field="t",
    tag="profile",
    omit_defaults=True,
    gc=False,
):
    """One `/v1/users`, `/v1/companies` or `/v1/subscriptions` item."""

    app_id: str
    kind: ProfileKind
    id: str
    """User, company or subscription id; for an unknown visitor empty, and `anonymous_id` is set."""
    update_id: str
    """Made on arrival; breaks ties between updates of the same time."""
    time: datetime
    """The caller's `modified_time` when sent, else the arrival."""
    received_at: datetime
    anonymous_id: str = ""
    company_id: str = ""
    session_key: str = ""
    fields: Raw = NO_JSON
    """A JSON object: metadata, campaign, ip_address, user_agent_string, company_domain and every
    unknown field, as sent."""


class Reject(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag_field="t",
    tag="reject",
    omit_defaults=True,
    gc=False,
):
    """An item that could not be understood: kept, with the reason, beside those that could."""

    app_id: str
    reject_id: str
    received_at: datetime
    kind: str
    """What it was sent as: `event`, `action`, `user`, `company` or `subscription`."""
    reason: str
    field: str = ""
    """JSON path of the fault, such as `$.request.time`."""
    sample: str = ""
    """The item as it came, secrets masked, cut to some kilobytes."""
