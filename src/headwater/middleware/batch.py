"""Pack calls into compressed batches, in slices so short that the application keeps its turns.

In: calls, in the order they came. Out: gzipped JSON arrays of events, no larger than a collector
takes. Runs on the background thread.
"""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

import msgspec
from isal import igzip
from msgspec import Struct

from headwater.middleware.call import Call, wall_clock_s
from headwater.middleware.event import Event, to_event
from headwater.middleware.options import Options
from headwater.middleware.sampling import Sampling
from headwater.middleware.trouble import Trouble

_FASTEST = 1
_MOST_BATCH_BYTES = 4_000_000
_SHORTEST_SLICE, _MOST_SLICES = 32, 16
"""Calls written between two rests. Few rests in all: a busy application gives the turn back late,
and then each rest costs one of its requests the same few milliseconds."""

_json = msgspec.json.Encoder(enc_hook=str)


class Batch(Struct, frozen=True):
    """Events on their way."""

    packed: bytes
    events: int
    made_at_s: float
    """By the wall clock: a batch may outlive its process."""


class Packer:
    """Writes events as the application and the collector want them."""

    def __init__(self, options: Options, trouble: Trouble) -> None:
        self._options = options
        self._trouble = trouble

    def pack(self, calls: Sequence[Call], sampling: Sampling) -> Iterator[Batch]:
        """Return batches of the calls that are to be sent."""
        events: list[bytes] = []
        size_bytes = 0
        for event in self._encode_all(calls, sampling):
            if size_bytes + len(event) > _MOST_BATCH_BYTES and events:
                yield _to_batch(events)
                events, size_bytes = [], 0
            events.append(event)
            size_bytes += len(event)
            if len(events) >= self._options.batch_events:
                yield _to_batch(events)
                events, size_bytes = [], 0
        if events:
            yield _to_batch(events)

    def _encode_all(self, calls: Sequence[Call], sampling: Sampling) -> Iterator[bytes]:
        slice_calls = max(_SHORTEST_SLICE, len(calls) // _MOST_SLICES)
        clock_s = wall_clock_s()
        for number, call in enumerate(calls, 1):
            weight = sampling.draw(call.user_id, call.company_id)
            if not weight:
                self._trouble.counts.sampled_out += 1
            elif event := self._encode(call, clock_s, weight):
                yield event
            if not number % slice_calls:
                time.sleep(0)  # whoever waits for the interpreter goes first

    def _encode(self, call: Call, clock_s: float, weight: int) -> bytes:
        try:
            event, mask = to_event(call, self._options, clock_s, weight), self._options.mask_event
            masked = event if mask is None else self._mask(event, mask)
            return b"" if masked is None else _json.encode(masked)
        except Exception as error:  # noqa: BLE001 - odd values may come from the application
            self._trouble.call_failed(error)
            return b""

    def _mask(self, event: Event, mask: Callable[[dict[str, Any]], Any]) -> Any:
        try:
            masked = mask(msgspec.to_builtins(event, enc_hook=str))
            return asyncio.run(_wait_for(masked)) if inspect.isawaitable(masked) else masked
        except Exception as error:
            self._trouble.hook_failed("mask_event", error)
            raise


async def _wait_for(answer: Awaitable[Any]) -> Any:
    return await answer


def _to_batch(events: list[bytes]) -> Batch:
    packed = igzip.compress(b"[" + b",".join(events) + b"]", _FASTEST)
    return Batch(packed, len(events), time.time())
