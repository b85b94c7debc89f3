"""Let a failing destination rest.

In: outcomes. Out: whether to try now. After some failures in a row, or when the other side asks for
time, nothing is sent for a while; the first success ends it. No sleeping here.
"""

from headwater.base.clock import Clock
from headwater.base.retry import backoff_s
from headwater.base.settings import FederationSettings
from headwater.destinations import Outcome

_LONGEST_REST_S = 3600.0


class Breaker:
    """One for each destination and process."""

    def __init__(self, clock: Clock, settings: FederationSettings) -> None:
        self._clock = clock
        self._settings = settings
        self._failures = 0
        self._rests_until_s = 0.0

    @property
    def rest_s(self) -> float:
        """How long to leave the destination alone; 0 when it may be tried."""
        return max(0.0, self._rests_until_s - self._clock.monotonic_s())

    def note(self, outcome: Outcome) -> None:
        """Learn from one answer; a refused message says nothing about the destination."""
        if outcome.fate != "retry":
            self._failures = 0
            return
        self._failures += 1
        if outcome.retry_after_s is not None:
            self._rest(outcome.retry_after_s)
        over = self._failures - self._settings.pause_after_failures
        if over >= 0:
            self._rest(backoff_s(over + 1, cap_s=self._settings.pause_cap_s))

    def _rest(self, rest_s: float) -> None:
        until_s = self._clock.monotonic_s() + min(rest_s, _LONGEST_REST_S)
        self._rests_until_s = max(self._rests_until_s, until_s)
