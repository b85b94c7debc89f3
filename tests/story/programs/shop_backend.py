"""The team's own back end tells what its customers do, by Segment's library for Python.

Arguments: the server's base URL, the write key of the source.
"""

import sys
from datetime import UTC, datetime

from segment.analytics.client import Client

host, write_key = sys.argv[1:]
day = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def fail(error: Exception, _items: object) -> None:
    """Say aloud what the library could not deliver."""
    raise SystemExit(f"not delivered: {error}")


client = Client(write_key, host=host, on_error=fail, sync_mode=True)
client.identify("ana", {"name": "Ana Example", "plan": "trial"}, timestamp=day)
client.group("ana", "parcel", {"name": "Parcel", "website": "parcel.example"}, timestamp=day)
client.track("ana", "Invited Colleague", {"role": "developer"}, message_id="invited-1")
client.track("ana", "Invited Colleague", {"role": "developer"}, message_id="invited-1")
client.identify("ana", {"plan": "pro"})
