"""Read events from lines of JSON: an export, or what a team has logged in Moesif's form.

In: one line. Out: the event as it stands. Raises `InvalidInputError` with the very reason for which
the Collector API would reject it. Pure.
"""

from datetime import UTC, datetime
from typing import Any

import msgspec

from headwater.base.errors import InvalidInputError
from headwater.base.vault import Vault
from headwater.collector.accept import accept_events
from headwater.collector.arrival import Arrival
from headwater.collector.json_text import heal, read_json
from headwater.model import Reject

_NOBODY = Arrival(app_id="", received_at=datetime(2000, 1, 1, tzinfo=UTC))
_TRIAL_VAULT = Vault(bytes(32))
"""The result of the trial is thrown away, and so are its fingerprints."""
_MOST_BYTES = 1_000_000


def parse_event(line: bytes) -> dict[str, Any]:
    """Return one event, after a trial that the Collector API would take it."""
    trial = accept_events(line, _NOBODY, _TRIAL_VAULT, _MOST_BYTES)
    if trial.rejected:
        reject = msgspec.json.decode(trial.records[0], type=Reject)
        raise InvalidInputError(reject.reason, field=reject.field)
    event = read_json(heal(line))
    if not isinstance(event, dict):
        raise InvalidInputError("A line holds one event, a JSON object.", field="$")
    return event
