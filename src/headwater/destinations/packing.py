"""Pack items into batches that a receiver takes, and smaller ones when it does not.

In: the items of a parcel, encoded. Out: batches of neighbours within a number of bytes; an outcome
for each place.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence

import msgspec

from headwater.destinations.wire import Outcome


class Packed(msgspec.Struct, frozen=True):
    """One item as it is sent, and its place in the parcel."""

    place: int
    body: bytes


def batches(packed: Sequence[Packed], most_bytes: int) -> Iterator[list[Packed]]:
    """Divide items in their order; each batch is within the limit, if each item is."""
    batch: list[Packed] = []
    size_bytes = 0
    for one in packed:
        if batch and size_bytes + len(one.body) > most_bytes:
            yield batch
            batch, size_bytes = [], 0
        batch.append(one)
        size_bytes += len(one.body) + 1
    if batch:
        yield batch


Outcomes = dict[int, Outcome]
"""By place in the parcel."""
Send = Callable[[Sequence[Packed]], Awaitable[Outcomes | None]]
"""Sends one batch, once; None: smaller ones have to tell. Of a single item it always knows."""


async def send_in_halves(send: Send, batch: Sequence[Packed]) -> Outcomes:
    """Send a batch; while the receiver does not say what is wrong with it, in halves."""
    found = await send(batch)
    if found is not None:
        return found
    middle = len(batch) // 2
    first = await send_in_halves(send, batch[:middle])
    return first | await send_in_halves(send, batch[middle:])


async def send_packed(
    send: Send, packed: Sequence[Packed], most_bytes: int, longest_bytes: int, large: Outcome
) -> list[Outcome]:
    """Send items in batches; those longer than `longest_bytes` are `large`, and never sent."""
    outcomes = [large] * len(packed)
    fitting = [one for one in packed if len(one.body) <= longest_bytes]
    for batch in batches(fitting, most_bytes):
        for place, outcome in (await send_in_halves(send, batch)).items():
            outcomes[place] = outcome
    return outcomes
