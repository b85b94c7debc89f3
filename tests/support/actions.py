"""Make actions for tests: valid ones; a test changes what it is about."""

from typing import Any

import msgspec

from headwater.model import Action
from tests.support.calls import NOON


def make_action(action_id: str = "a_1", **changes: Any) -> Action:
    """Return an action that a collector could have accepted."""
    plain = Action(
        app_id="app_1",
        action_id=action_id,
        time=NOON,
        received_at=NOON,
        action_name="Created Key",
        uri="https://parcel.example/keys",
        user_id="user_1",
        company_id="company_1",
        ip_address="192.0.2.9",
        user_agent="Mozilla/5.0 (X11; Linux) Firefox/130.0",
        metadata=msgspec.Raw(b'{"plan": "trial"}'),
    )
    return msgspec.structs.replace(plain, **changes)
