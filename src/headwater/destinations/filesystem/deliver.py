"""Write messages into files.

In: checked settings and a parcel. Out: one outcome for each item, the same for all of one file. A
parcel that comes again makes the same files again, in the same places.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from headwater.destinations.contract import DestinationType, Item, Parcel, Values
from headwater.destinations.filesystem.actions import ACTIONS
from headwater.destinations.filesystem.folder import write_file
from headwater.destinations.filesystem.rows import content_type, file_path, write_rows
from headwater.destinations.filesystem.s3 import put_object
from headwater.destinations.filesystem.settings import SETTINGS, complete, is_s3
from headwater.destinations.wire import Outcome, Wire


class Filesystem:
    """The type `filesystem`."""

    declaration = DestinationType(
        type="filesystem",
        title="Files and S3",
        description=(
            "Writes messages as JSON lines or Parquet into a folder of the server or an S3 bucket, "
            "by source and day."
        ),
        settings=SETTINGS,
        actions=ACTIONS,
    )

    def complete(self, values: Values) -> dict[str, str]:
        return complete(values)

    def batch_size(self, values: Values, action: str) -> int:  # noqa: ARG002 - the same for all
        return int(values["batch_size"])

    async def deliver(self, wire: Wire, values: Values, parcel: Parcel) -> list[Outcome]:
        outcomes: dict[int, Outcome] = {}
        for places in _by_file(parcel.items):
            items = [parcel.items[place] for place in places]
            outcome = await _store(wire, values, items, parcel.sent_at)
            outcomes.update(dict.fromkeys(places, outcome))
        return [outcomes[place] for place in range(len(parcel.items))]


def _by_file(items: Sequence[Item]) -> list[list[int]]:
    """Return the places of the items that belong together: of one source and day."""
    found: dict[tuple[str, object], list[int]] = {}
    for place, item in enumerate(items):
        key = (item.message.source_id, item.message.received_at.date())
        found.setdefault(key, []).append(place)
    return list(found.values())


async def _store(wire: Wire, values: Values, items: Sequence[Item], at: datetime) -> Outcome:
    data = await asyncio.to_thread(write_rows, values, items)
    path = file_path(values, items)
    if is_s3(values):
        return await put_object(wire, values, path, data, content_type(values), at)
    return await asyncio.to_thread(write_file, values["location"], path, data)
