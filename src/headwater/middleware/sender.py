"""Send captured calls from a background thread, and never let anybody wait for it.

In: calls. Out: gzipped batches at `/v1/events/batch`. Keeps a bounded number of calls; while the
collector is away it waits and tries again; what finds no room is counted. A forked child starts
afresh with a thread of its own. Nothing here raises into the application.
"""

import atexit
import contextlib
import logging
import os
import random
import threading
import time
import weakref
import zlib
from collections import deque
from dataclasses import dataclass

import msgspec

from headwater.middleware.event import Call, to_event
from headwater.middleware.options import Options
from headwater.middleware.post import Answer, Collector

_log = logging.getLogger("headwater.middleware")
_GZIP = 16 + zlib.MAX_WBITS
_FIRST_RETRY_S, _LONGEST_RETRY_S = 0.5, 30.0
_WARN_EVERY_S = 60.0


@dataclass
class Counts:
    """What became of the calls."""

    sent: int = 0
    overflowed: int = 0
    """Forgotten because too many waited."""
    refused: int = 0
    """Forgotten because the collector would not have them, or was away for too long."""
    failed: int = 0
    """Forgotten because no event could be made of them."""


class Sender:
    """A queue and a thread; the thread starts with the first call."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._reset()
        me = weakref.ref(self)
        atexit.register(_close_if_alive, me)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=lambda: _reset_if_alive(me))

    def _reset(self) -> None:
        self.counts = Counts()
        self._queue: deque[Call] = deque()
        self._waiting_bytes = 0
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._warned_at_s = 0.0

    def put(self, call: Call) -> None:
        """Take a call, or count it as overflowed."""
        size_bytes = call.size_bytes
        with self._lock:
            full = (
                len(self._queue) >= self.options.queue_events
                or self._waiting_bytes + size_bytes > self.options.queue_bytes
            )
            if full or self._closing.is_set():
                self.counts.overflowed += 1
                return
            self._queue.append(call)
            self._waiting_bytes += size_bytes
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="headwater-capture", daemon=True
                )
                self._thread.start()

    @property
    def waiting(self) -> int:
        """Return how many calls are not sent yet."""
        return len(self._queue)

    def close(self, timeout_s: float | None = None) -> None:
        """Send what waits, for `timeout_s` at most, and stop; the next call starts it again."""
        thread = self._thread
        if thread is None:
            return
        self._closing.set()
        thread.join(self.options.close_timeout_s if timeout_s is None else timeout_s)
        with self._lock:
            if not thread.is_alive():
                self._thread, self._closing = None, threading.Event()

    def _run(self) -> None:
        with Collector(self.options) as collector:
            while True:
                closing = self._closing.wait(self.options.flush_every_s)
                while batch := self._take():
                    self._send(collector, batch)
                if closing:
                    return

    def _take(self) -> list[Call]:
        with self._lock:
            count = min(len(self._queue), self.options.batch_events)
            batch = [self._queue.popleft() for _ in range(count)]
            self._waiting_bytes -= sum(call.size_bytes for call in batch)
        return batch

    def _send(self, collector: Collector, batch: list[Call]) -> None:
        events = [event for event in map(self._encode, batch) if event]
        if not events:
            return
        packed = _gzip(b"[" + b",".join(events) + b"]")
        if self._deliver(collector, packed):
            self.counts.sent += len(events)
        else:
            self.counts.refused += len(events)
            self._warn(f"{len(events)} calls were not reported to {self.options.url}")

    def _encode(self, call: Call) -> bytes:
        mask = self.options.mask_event
        try:
            event = to_event(call, decode_bodies=mask is not None)
            masked = mask(event) if mask else event
            return b"" if masked is None else msgspec.json.encode(masked)
        except Exception:  # noqa: BLE001 - a hook of the application may raise anything
            self.counts.failed += 1
            self._warn("A call could not be reported", with_traceback=True)
            return b""

    def _deliver(self, collector: Collector, packed: bytes) -> bool:
        give_up_at_s = time.monotonic() + self.options.give_up_after_s
        ceiling_s = _FIRST_RETRY_S
        while True:
            answer = collector.post(packed)
            if answer is not Answer.LATER:
                return answer is Answer.TAKEN
            if self._closing.is_set() or time.monotonic() >= give_up_at_s:
                return False
            self._closing.wait(max(collector.retry_after_s, random.uniform(0.1, 1.0) * ceiling_s))  # noqa: S311 - only spreads retries
            ceiling_s = min(_LONGEST_RETRY_S, ceiling_s * 2)

    def _warn(self, text: str, *, with_traceback: bool = False) -> None:
        now_s = time.monotonic()
        if not self._warned_at_s or now_s - self._warned_at_s > _WARN_EVERY_S:
            self._warned_at_s = now_s
            _log.warning("%s (so far: %s)", text, self.counts, exc_info=with_traceback)


def _gzip(data: bytes) -> bytes:
    engine = zlib.compressobj(1, wbits=_GZIP)
    return engine.compress(data) + engine.flush()


def _close_if_alive(reference: "weakref.ref[Sender]") -> None:
    sender = reference()
    if sender is not None:
        with contextlib.suppress(Exception):
            sender.close()


def _reset_if_alive(reference: "weakref.ref[Sender]") -> None:
    sender = reference()
    if sender is not None:
        sender._reset()  # noqa: SLF001 - it is ours: the child of a fork has no thread and no lock
