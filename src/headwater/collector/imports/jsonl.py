"""Read events from lines of JSON: an export, or what a team has logged in Moesif's form.

In: one line. Out: the event as it stands. Raises `InvalidInputError` with the very reason for which
the Collector API would reject it. Pure.
"""

from typing import Any

from headwater.collector.imports.fields import read_object, try_event


def parse_event(line: bytes) -> dict[str, Any]:
    """Return one event, after a trial that the Collector API would take it."""
    try_event(line)
    return read_object(line)


def is_event(facts: dict[str, Any]) -> bool:
    """Tell whether an object looks like an event."""
    request = facts.get("request")
    return isinstance(request, dict) and "verb" in request and "uri" in request
