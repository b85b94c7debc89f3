"""Read the access logs of AWS Application Load Balancers.

In: one line: columns between spaces, some of them quoted; new columns come at the end. Out: an
event. Raises `InvalidInputError`. Pure.
"""

import re
from typing import Any

from headwater.base.errors import InvalidInputError
from headwater.collector.imports.fields import Access, number_of, split_request, to_event

_COLUMN = re.compile(r'"((?:[^"\\]|\\.)*+)"|(\S++)')
_KINDS = frozenset(("http", "https", "h2", "grpcs", "ws", "wss"))
_COLUMNS = (
    "type", "time", "elb", "client", "target", "request_s", "target_s", "response_s", "status",
    "target_status", "received_bytes", "sent_bytes", "request", "user_agent", "cipher", "protocol",
    "group", "trace_id", "domain", "certificate", "priority", "created_at",
)  # fmt: skip
_NEEDED = _COLUMNS.index("user_agent") + 1


def is_alb(text: str) -> bool:
    """Tell whether a line begins as these do."""
    kind, _, rest = text.partition(" ")
    return kind in _KINDS and " " in rest


def parse_alb(line: bytes) -> dict[str, Any]:
    """Return the event of one line."""
    found = _COLUMN.findall(line.decode("utf-8", "backslashreplace"))
    columns = [quoted or bare for quoted, bare in found]
    if len(columns) < _NEEDED or columns[0] not in _KINDS:
        raise InvalidInputError("This is no line of an Application Load Balancer's access log.")
    facts = dict(zip(_COLUMNS, columns, strict=False))
    verb, target = split_request(facts["request"])
    return to_event(
        Access(
            time=facts.get("created_at") or facts["time"],
            verb=verb,
            uri=target,
            status=facts["status"],
            ip_address=facts["client"].rpartition(":")[0].strip("[]"),
            trace_id=facts.get("trace_id", ""),
            duration_ms=_duration_ms(facts),
            request_headers={"user-agent": facts["user_agent"]},
            response_headers={"content-length": facts["sent_bytes"]},
        )
    )


def _duration_ms(facts: dict[str, str]) -> float | None:
    """Return the sum of the three parts; -1 in any of them says that there was none."""
    parts = [number_of(facts[name]) for name in ("request_s", "target_s", "response_s")]
    told = [part for part in parts if part is not None and part >= 0]
    return sum(told) * 1_000 if len(told) == len(parts) else None
