"""Bring batches to the collector, the oldest first, with the patience that it needs.

In: batches. Out: posts; what the collector will not have is counted. After a failure it waits, the
longer the more often, or as long as the collector asked; nothing is posted meanwhile. It also asks
the collector for its sampling rates. Runs on the background thread; only `Batch`es wait here.
"""

import random
import time

import msgspec

from headwater.middleware.backlog import Backlog
from headwater.middleware.batch import Batch
from headwater.middleware.options import Options
from headwater.middleware.post import Answer, Collector
from headwater.middleware.sampling import Sampling, read_sampling
from headwater.middleware.trouble import Trouble

_FIRST_RETRY_S, _LONGEST_RETRY_S = 0.5, 30.0


class Delivery:
    """What waits for the collector, and when it is tried next."""

    def __init__(self, options: Options, backlog: Backlog, trouble: Trouble) -> None:
        self._options = options
        self._backlog = backlog
        self._trouble = trouble
        self._retry_at_s = 0.0
        self._ceiling_s = _FIRST_RETRY_S
        self._config_at_s = 0.0
        self._config_tag = ""
        self.sampling = Sampling()
        """What the collector asked for last."""

    def add(self, batch: Batch) -> None:
        """Keep a batch until the collector has it."""
        forgotten = self._backlog.add(batch)
        if forgotten:
            self._trouble.counts.overflowed += forgotten
            self._trouble.warn("The collector is away, and the oldest calls made room for new ones")

    @property
    def is_waiting(self) -> bool:
        """Tell whether the collector is left alone for now."""
        return time.monotonic() < self._retry_at_s

    def deliver(self, collector: Collector, *, at_once: bool = False) -> None:
        """Post what waits, until it is all there or the collector has trouble."""
        if self.is_waiting and not at_once:
            return
        while batch := self._backlog.take():
            answer = collector.post(batch.packed)
            if answer is Answer.LATER and not self._is_too_old(batch):
                self._backlog.give_back(batch)
                self._wait(collector.retry_after_s)
                return
            self._backlog.drop(batch)
            self._count(batch, taken=answer is Answer.TAKEN)
        self._ceiling_s = _FIRST_RETRY_S

    def refresh_sampling(self, collector: Collector) -> None:
        """Ask for the rates when it is time, or when the collector said that they changed."""
        now_s = time.monotonic()
        changed = collector.config_tag != self._config_tag
        every_s = self._options.config_every_s
        if not every_s or self.is_waiting or (now_s < self._config_at_s and not changed):
            return
        self._config_at_s = now_s + every_s
        document = collector.fetch_config()
        self._config_tag = collector.config_tag
        if document is not None:
            try:
                self.sampling = read_sampling(document)
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                self._trouble.warn("The collector's sampling rates cannot be read", error)

    def _is_too_old(self, batch: Batch) -> bool:
        return time.time() - batch.made_at_s >= self._options.give_up_after_s

    def _wait(self, asked_s: float) -> None:
        pause_s = max(asked_s, random.uniform(0.1, 1.0) * self._ceiling_s)  # noqa: S311 - only spreads retries
        self._retry_at_s = time.monotonic() + pause_s
        self._ceiling_s = min(_LONGEST_RETRY_S, self._ceiling_s * 2)

    def _count(self, batch: Batch, *, taken: bool) -> None:
        if taken:
            self._trouble.counts.sent += batch.events
            self._ceiling_s = _FIRST_RETRY_S
        else:
            self._trouble.counts.refused += batch.events
            self._trouble.warn("The collector did not take calls")
