"""Let a failing destination rest.

In: outcomes of requests. Out: whether to try now, and how much at once. After some failures in a
row, or when the other side asks for time, nothing is sent for a while; then one request probes, and
the first success ends it. No sleeping here.
"""

from collections.abc import Sequence

from headwater.base.clock import Clock
from headwater.base.concurrency import Concurrency
from headwater.base.retry import backoff_s
from headwater.base.settings import FederationSettings
from headwater.destinations import Outcome
from headwater.federation.conclude import KEY_REFUSED

_LONGEST_REST_S = 3600.0


class Breaker:
    """One for each destination and process."""

    def __init__(self, clock: Clock, settings: FederationSettings) -> None:
        self._clock = clock
        self._settings = settings
        self._concurrency = Concurrency(settings.concurrency)
        self._rests_until_s = 0.0
        self.paused = ""
        """Why nothing is sent until a person says so; empty: it is."""
        self.accepts = False
        """It took our key since it was last in doubt."""
        self.in_doubt = False
        """It refused our key and took nothing since: one message has to prove that it is mended."""

    @property
    def is_open(self) -> bool:
        """Whether nothing may be sent now."""
        return bool(self.paused) or self.rest_s > 0

    @property
    def rest_s(self) -> float:
        """How long to leave the destination alone; 0 when it may be tried."""
        return max(0.0, self._rests_until_s - self._clock.monotonic_s())

    @property
    def is_probing(self) -> bool:
        """Whether one request has to prove that it is back, or that its key is mended."""
        has_failed = self._concurrency.troubles >= self._settings.pause_after_failures
        return has_failed or self.in_doubt

    @property
    def limit(self) -> int:
        """How many requests may be on the wire."""
        return 1 if self.is_probing else self._concurrency.limit

    def resume(self) -> None:
        """Try again: a person mended it, or says so."""
        self.paused = ""
        self.accepts, self.in_doubt = False, True

    def begin(self) -> float:
        """Return the moment at which a request begins."""
        return self._clock.monotonic_s()

    def note(self, outcomes: Sequence[Outcome], began_s: float) -> None:
        """Learn from one answer; a refused message says nothing about the destination."""
        now_s = self._clock.monotonic_s()
        self._note_key(outcomes)
        if any(outcome.fate != "retry" or outcome.status in KEY_REFUSED for outcome in outcomes):
            self._concurrency.note_answer(began_s, now_s)
            return
        asked_s = max((outcome.retry_after_s or 0.0 for outcome in outcomes), default=0.0)
        if asked_s:
            self._rest(asked_s)
        is_new = self._concurrency.note_trouble(began_s, now_s)
        over = self._concurrency.troubles - self._settings.pause_after_failures
        if is_new and over >= 0:
            self._rest(backoff_s(over + 1, cap_s=self._settings.pause_cap_s))

    def _note_key(self, outcomes: Sequence[Outcome]) -> None:
        if any(map(_takes_key, outcomes)):
            self.accepts, self.in_doubt = True, False
            return
        refused = [outcome for outcome in outcomes if outcome.status in KEY_REFUSED]
        if refused:
            self.accepts, self.in_doubt = False, True
        if any(outcome.fate == "retry" for outcome in refused):
            self.paused = refused[0].error

    def _rest(self, rest_s: float) -> None:
        until_s = self._clock.monotonic_s() + min(rest_s, _LONGEST_REST_S)
        self._rests_until_s = max(self._rests_until_s, until_s)


def _takes_key(outcome: Outcome) -> bool:
    """Tell whether an answer shows that our key is good: taken, or refused for what it says."""
    if outcome.fate == "dead":
        return outcome.status is not None and outcome.status not in KEY_REFUSED
    return outcome.fate == "delivered"
