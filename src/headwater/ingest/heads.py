"""Hold a call on its way into the store: the record as it came, and what the steps add to it.

In: one line of the log. Out: the same line with what was added. Only the line's head is read, which
holds what steps need; the rest passes by untouched, since the engine reads it (ADR 0013).
"""

from datetime import datetime

import msgspec
from msgspec import Raw

_Record = dict[str, Raw]


class HeadHeaders(msgspec.Struct, frozen=True, gc=False):
    """The request headers that steps look at."""

    user_agent: str = msgspec.field(default="", name="user-agent")
    host: str = ""
    mcp_protocol_version: str = msgspec.field(default="", name="mcp-protocol-version")
    mcp_session_id: str = msgspec.field(default="", name="mcp-session-id")

    @property
    def speaks_mcp(self) -> bool:
        """A program that a language model drives names the protocol, or its session."""
        return bool(self.mcp_protocol_version or self.mcp_session_id)


class CallHead(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="call", gc=False):
    """What steps know of a call; a part of `model.ApiCall`."""

    app_id: str
    call_id: str
    time: datetime
    received_at: datetime
    uri: str
    user_id: str = ""
    company_id: str = ""
    anonymous_id: str = ""
    session_key: str = ""
    ip_address: str = ""
    host: str = ""
    route: str = ""
    country: str = ""
    user_agent: str = ""
    host_header: str = ""
    speaks_mcp: bool = False
    flags: tuple[str, ...] = ()
    request_headers: HeadHeaders = HeadHeaders()
    """Of records that do not end their head; the others' heads say all."""


class Added(msgspec.Struct, omit_defaults=True, gc=False):
    """What a record lacks and steps put in. Names are those of the columns of `landing`."""

    log_offset: int
    user_agent: str = ""
    host: str = ""
    route: str = ""
    client_kind: str = ""
    client_name: str = ""
    client_version: str = ""
    country: str = ""
    user_id: str = ""
    company_id: str = ""
    user_by: str = ""
    company_by: str = ""
    flags: tuple[str, ...] = ()


class Call(msgspec.Struct, gc=False):
    """One call of a batch."""

    offset: int
    """Of the log entry that holds it."""
    line: bytes | memoryview
    """The record, a JSON object; where it lies in the entry, if it comes from one."""
    head: CallHead
    added: Added
    changed: dict[str, object] = {}
    """What replaces something in the record; the exception, since the line is then rewritten."""

    def put(self, name: str, value: object) -> None:
        """Add a fact, or replace what the record says."""
        if getattr(self.head, name, None):
            self.changed = self.changed | {name: value}
        else:
            setattr(self.added, name, value)

    def flag(self, *flags: str) -> None:
        """Add flags that are not there yet."""
        now = self.flags
        new = tuple(flag for flag in flags if flag not in now)
        if new:
            self.put("flags", now + new)

    @property
    def flags(self) -> tuple[str, ...]:
        """What was unusual, so far."""
        changed = self.changed.get("flags")
        return changed if isinstance(changed, tuple) else self.head.flags or self.added.flags


_encode = msgspec.json.Encoder().encode
_decode_record = msgspec.json.Decoder(_Record).decode


def parts_of_line(call: Call) -> tuple[bytes | memoryview, bytes, bytes]:
    """Return the pieces of a row for `landing`: long ones are best put together only once."""
    line = _encode(_decode_record(call.line) | call.changed) if call.changed else call.line
    return line[:-1], b",", _encode(call.added)[1:]
