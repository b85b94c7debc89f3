"""Spell the events of the Collector API as clients send them.

In: a request's body. Out: for each event what it says, or the reason why it says nothing. The
strict structs read what well-behaved clients send, at full speed; an item that does not fit goes
through `tolerance` alone, so that it costs only itself.
"""

import msgspec
from msgspec import Raw

from headwater.base.errors import InvalidInputError
from headwater.model import NO_JSON


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """Unknown fields send an item to `tolerance`, which keeps them."""


class RequestIn(Strict, frozen=True, kw_only=True):
    """`request` of an event."""

    uri: str
    verb: str
    time: str | int | float | None = None
    headers: dict[str, str] | None = None
    api_version: str | None = None
    ip_address: str | None = None
    body: Raw = NO_JSON
    transfer_encoding: str | None = None
    content_length: int | None = None
    user_agent_string: str | None = None


class ResponseIn(Strict, frozen=True, kw_only=True):
    """`response` of an event."""

    time: str | int | float | None = None
    status: int | None = None
    headers: dict[str, str] | None = None
    body: Raw = NO_JSON
    transfer_encoding: str | None = None
    ip_address: str | None = None
    content_length: int | None = None


class EventIn(Strict, frozen=True, kw_only=True):
    """One API call as a client reports it."""

    request: RequestIn
    response: ResponseIn | None = None
    user_id: str | None = None
    company_id: str | None = None
    subscription_id: str | None = None
    anonymous_id: str | None = None
    session_token: str | None = None
    transaction_id: str | None = None
    trace_id: str | None = None
    action_name: str | None = None
    api_version: str | None = None
    direction: str | None = None
    weight: int | None = None
    tags: str | None = None
    blocked_by: str | None = None
    span: Raw = NO_JSON
    metadata: Raw = NO_JSON


class Understood(msgspec.Struct, frozen=True, gc=False):
    """An event, and what was sent beside the fields that we know."""

    event: EventIn
    unknown: dict[str, object] | None = None
    route: str = ""
    """As the API's own framework knows it, when the client told."""


class NotUnderstood(msgspec.Struct, frozen=True):
    """An item that cannot be used, as it came, with the reason."""

    item: bytes
    error: InvalidInputError
