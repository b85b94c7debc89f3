"""Write items as Mixpanel reads them: events, and changes of profiles.

In: items with their fields, settings. Out: JSON objects. Pure.
"""

from datetime import datetime
from typing import Any

from headwater.base.ids import stable_id
from headwater.destinations.contract import Item, Values
from headwater.destinations.mixpanel.actions import EVENT, GROUP

_NO_PLACE = 0
"""Instead of an address: else Mixpanel takes our server's for the user's."""


def entry_of(values: Values, item: Item) -> dict[str, Any]:
    """Return what to send for one item."""
    told = item.fields
    properties = told.get("properties", {})
    if item.action == EVENT.name:
        own = {
            "time": _milliseconds(told.get("time")) or _milliseconds_of(item.message.timestamp),
            "distinct_id": told.get("distinct_id", ""),
            # 32 digits: Mixpanel takes 36 characters, and no colon.
            "$insert_id": stable_id(item.message.message_id, item.mapping),
            "ip": told.get("ip", _NO_PLACE),
        }
        return {"event": told["event"], "properties": {**properties, **own}}
    if item.action == GROUP.name:
        return {
            "$token": values["token"],
            "$group_key": values["group_key"],
            "$group_id": told["group_id"],
            "$set": properties,
        }
    return {
        "$token": values["token"],
        "$distinct_id": told["distinct_id"],
        "$ip": told.get("ip", _NO_PLACE),
        "$set": properties,
    }


def _milliseconds(text: object) -> int | None:
    try:
        return _milliseconds_of(datetime.fromisoformat(text)) if isinstance(text, str) else None
    except ValueError:
        return None


def _milliseconds_of(at: datetime) -> int:
    return round(at.timestamp() * 1000)
