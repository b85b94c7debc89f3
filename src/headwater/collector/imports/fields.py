"""Build an event from the facts of one line of an access log.

In: facts as some server writes them, of any type. Out: an event of the Collector API, without what
the line does not tell. Raises `InvalidInputError` with the very reason for which the Collector API
would reject the event. Pure.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from headwater.base.errors import InvalidInputError
from headwater.base.vault import Vault
from headwater.collector.accept import accept_events
from headwater.collector.arrival import Arrival
from headwater.collector.json_text import heal, read_json, write_json
from headwater.collector.times import read_time
from headwater.model import Reject

NOTHING = ("", "-")
_NOBODY = Arrival(app_id="", received_at=datetime(2000, 1, 1, tzinfo=UTC))
TRIAL_VAULT = Vault(bytes(32))
"""The result of the trial is thrown away, and so are its fingerprints."""
_MOST_BYTES = 1_000_000
_LONGEST_MS = 1e9
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Access(msgspec.Struct, kw_only=True):
    """What access logs tell, in our words; empty where a line is silent."""

    time: object
    verb: object
    uri: object
    status: object = ""
    ip_address: object = ""
    user_id: object = ""
    trace_id: object = ""
    duration_ms: float | None = None
    request_headers: Mapping[str, object] = {}
    response_headers: Mapping[str, object] = {}


def read_object(line: bytes) -> dict[str, Any]:
    """Return the JSON object that a line is."""
    found = read_json(heal(line))
    if not isinstance(found, dict):
        raise InvalidInputError("A line holds one JSON object.", field="$")
    return found


def text_of(value: object) -> str:
    """Return a scalar as text, several as one header's value; "" when it says nothing."""
    if isinstance(value, list):
        return ", ".join(filter(None, map(text_of, value)))
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    text = str(value)
    return "" if text in NOTHING else text


def number_of(value: object) -> float | None:
    """Return the number that a value is or spells."""
    try:
        return float(text_of(value))
    except ValueError:
        return None


def first_of(facts: Mapping[str, Any], *names: str) -> Any:
    """Return the first value among `names` that says something."""
    return next((facts[name] for name in names if text_of(facts.get(name))), "")


def milliseconds(value: object, per_unit: float) -> float | None:
    """Return a duration, or None when a line does not tell one."""
    number = number_of(value)
    return None if number is None else number * per_unit


def day_first(text: str) -> str:
    """Return `20/May/2015:12:05:17 +0200` as ISO 8601; any other text as it is."""
    day, _, rest = text.partition("/")
    month, _, rest = rest.partition("/")
    year, _, clock = rest.partition(":")
    if month not in _MONTHS:
        return text
    return f"{year}-{_MONTHS.index(month) + 1:02}-{day}T{clock.replace(' ', '')}"


def split_request(request: str) -> tuple[str, str]:
    """Return verb and target of `GET /a HTTP/1.1`."""
    verb, _, rest = request.partition(" ")
    target, space, protocol = rest.rpartition(" ")
    return verb, target if space and protocol.startswith("HTTP/") else rest


def to_event(facts: Access) -> dict[str, Any]:
    """Return the event, after a trial that the Collector API would take it."""
    began_at = _moment(facts.time)
    response: dict[str, Any] = {"headers": _headers(facts.response_headers)}
    if status := text_of(facts.status):
        response["status"] = status
    if facts.duration_ms is not None and 0 <= facts.duration_ms <= _LONGEST_MS:
        response["time"] = (began_at + timedelta(milliseconds=facts.duration_ms)).isoformat()
    request = {
        "time": began_at.isoformat(),
        "verb": text_of(facts.verb),
        "uri": text_of(facts.uri),
        "headers": _headers(facts.request_headers),
        "ip_address": text_of(facts.ip_address),
    }
    event = {"request": request, "response": response}
    named = {"user_id": text_of(facts.user_id), "trace_id": text_of(facts.trace_id)}
    event |= {name: value for name, value in named.items() if value}  # type: ignore[misc]
    try_event(write_json(event))
    return event


def try_event(event: bytes) -> None:
    """Raise the reason for which the Collector API would reject an event."""
    trial = accept_events(event, _NOBODY, TRIAL_VAULT, _MOST_BYTES)
    if trial.rejected:
        reject = msgspec.json.decode(trial.records[0], type=Reject)
        raise InvalidInputError(reject.reason, field=reject.field)


def _moment(value: object) -> datetime:
    number = number_of(value)
    moment = read_time(day_first(text_of(value)) if number is None else number)
    if moment is None:
        raise InvalidInputError("This line has no time that can be read.")
    return moment


def _headers(sent: Mapping[str, object]) -> dict[str, str]:
    return {name.lower(): text for name, value in sent.items() if (text := text_of(value))}
