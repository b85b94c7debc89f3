"""Take calls from the application without letting it wait, and send them from a thread.

In: calls. Out: batches on their way to the collector. Keeps a bounded number of calls; what finds
no room is counted. The thread starts with the first call; a forked child starts afresh with a
thread of its own, while the parent sends what waited. Nothing here raises into the application.
"""

import atexit
import contextlib
import os
import threading
import time
import weakref

from headwater.middleware.backlog import open_backlog
from headwater.middleware.batch import Packer
from headwater.middleware.call import Call
from headwater.middleware.delivery import Delivery
from headwater.middleware.options import Options
from headwater.middleware.post import Collector
from headwater.middleware.trouble import Trouble

_AWAY_FLUSH_EVERY_S = 2.0
"""While the collector is away, calls wait for more company before they become a batch."""
_senders: "weakref.WeakSet[Sender]" = weakref.WeakSet()


class Sender:
    """A queue and a thread."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.trouble = Trouble()
        self._most_calls, self._most_bytes = options.queue_events, options.queue_bytes
        self._reset()
        _senders.add(self)

    def _reset(self) -> None:
        self.trouble.reset()
        self._queue: list[Call] = []
        self._waiting_bytes = 0
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._packer = Packer(self.options, self.trouble)
        backlog = open_backlog(self.options, self.trouble)
        self._delivery = Delivery(self.options, backlog, self.trouble)

    def put(self, call: Call) -> None:
        """Take a call, or count it as overflowed."""
        with self._lock:
            waiting_bytes = self._waiting_bytes + call.size_bytes()
            if len(self._queue) >= self._most_calls or waiting_bytes > self._most_bytes:
                self.trouble.counts.overflowed += 1
                return
            self._queue.append(call)
            self._waiting_bytes = waiting_bytes
        if self._thread is None:
            self._start()

    @property
    def waiting(self) -> int:
        """Return how many calls are not packed yet."""
        return len(self._queue)

    def close(self, timeout_s: float | None = None) -> None:
        """Send what waits, for `timeout_s` at most, and stop; the next call starts it again."""
        thread = self._thread
        if thread is not None:
            self._closing.set()
            thread.join(self.options.close_timeout_s if timeout_s is None else timeout_s)

    def _start(self) -> None:
        with self._lock:
            if self._thread is not None:
                return
            thread = threading.Thread(target=self._run, name="headwater-capture", daemon=True)
            try:
                thread.start()
                self._thread = thread
            except RuntimeError as error:  # no room for threads, or the interpreter is ending
                self.trouble.warn("The thread that sends calls could not start", error)

    def _run(self) -> None:
        closing = self._closing
        packed_at_s = 0.0
        with Collector(self.options) as collector:
            is_last = False
            while not is_last:
                is_last = closing.wait(self.options.flush_every_s)
                now_s = time.monotonic()
                is_due = not self._delivery.is_waiting or now_s > packed_at_s + _AWAY_FLUSH_EVERY_S
                if is_last or is_due or self._is_half_full:
                    packed_at_s = now_s
                    self._flush(collector, is_last=is_last)
        with self._lock:
            self._thread = None
            closing.clear()

    def _flush(self, collector: Collector, *, is_last: bool) -> None:
        try:
            self._delivery.refresh_sampling(collector)
            for batch in self._packer.pack(self._take(), self._delivery.sampling):
                self._delivery.add(batch)
                if not is_last:
                    self._delivery.deliver(collector)
            self._delivery.deliver(collector, at_once=is_last)
        except Exception as error:  # noqa: BLE001 - the thread lives on whatever one batch brings
            self.trouble.warn("Calls could not be sent", error)

    @property
    def _is_half_full(self) -> bool:
        half = self._most_calls // 2, self._most_bytes // 2
        return len(self._queue) > half[0] or self._waiting_bytes > half[1]

    def _take(self) -> list[Call]:
        with self._lock:
            taken, self._queue = self._queue, []
            self._waiting_bytes = 0
        return taken


def _close_all() -> None:
    until_s = time.monotonic() + max((s.options.close_timeout_s for s in _senders), default=0.0)
    for sender in list(_senders):
        with contextlib.suppress(Exception):
            sender.close(max(0.0, min(sender.options.close_timeout_s, until_s - time.monotonic())))


def _reset_all() -> None:
    for sender in list(_senders):
        sender._reset()  # noqa: SLF001 - it is ours: the child of a fork has no thread and no lock


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_all)
