"""Pack items into batches that a receiver takes.

In: the items of a parcel, encoded. Out: batches of neighbours within a number of bytes. Pure.
"""

from collections.abc import Iterator, Sequence

import msgspec


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
