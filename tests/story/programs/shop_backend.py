"""The team's own back end tells what its customers do, by Segment's library for Python.

Arguments: the server's base URL, the write key of the source, and of whom to tell.
"""

import sys
from datetime import UTC, datetime

from segment.analytics.client import Client

host, write_key, user = sys.argv[1:]
day = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def fail(error: Exception, _items: object) -> None:
    """Say aloud what the library could not deliver."""
    raise SystemExit(f"not delivered: {error}")


client = Client(write_key, host=host, on_error=fail, sync_mode=True)
client.identify(user, {"name": "Ana Example", "plan": "trial"}, timestamp=day)
client.group(user, "parcel", {"name": "Parcel", "website": "parcel.example"}, timestamp=day)
client.track(user, "Invited Colleague", {"role": "developer"}, message_id=f"invited-{user}")
client.track(user, "Invited Colleague", {"role": "developer"}, message_id=f"invited-{user}")
client.identify(user, {"plan": "pro"})
