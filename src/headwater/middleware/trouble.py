"""Count what became of the calls, and tell the log of trouble once a minute at most.

In: errors that must not reach the application. Out: counters, and lines that name the kind and the
place of an error but never its message, which may hold a secret of the application.
"""

import logging
import threading
import time
from dataclasses import dataclass

_log = logging.getLogger("headwater.middleware")
_WARN_EVERY_S = 60.0


@dataclass
class Counts:
    """What became of the calls."""

    sent: int = 0
    sampled_out: int = 0
    """Left out because the collector asked for fewer."""
    overflowed: int = 0
    """Forgotten because too many waited."""
    refused: int = 0
    """Forgotten because the collector would not have them, or was away for too long."""
    failed: int = 0
    """Forgotten because no event could be made of them."""
    hooks_failed: int = 0
    """Times that a function of the application raised."""


class Trouble:
    """Counts and warnings of one middleware."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start afresh, as the child of a fork must: its parent may have held the lock."""
        self.counts = Counts()
        self._lock = threading.Lock()
        self._warned_at_s: dict[str, float] = {}

    def hook_failed(self, name: str, error: BaseException) -> None:
        """Note that a function of the application raised."""
        with self._lock:
            self.counts.hooks_failed += 1
        self.warn(f"The hook {name} failed", error)

    def call_failed(self, error: BaseException) -> None:
        """Note that a call could not be captured."""
        with self._lock:
            self.counts.failed += 1
        self.warn("A call could not be captured", error)

    def warn(self, text: str, error: BaseException | None = None) -> None:
        """Log, unless the same was logged within the last minute."""
        now_s = time.monotonic()
        with self._lock:
            if now_s - self._warned_at_s.get(text, -_WARN_EVERY_S) < _WARN_EVERY_S:
                return
            self._warned_at_s[text] = now_s
        _log.warning("%s%s (so far: %s)", text, _describe(error), self.counts)


def _describe(error: BaseException | None) -> str:
    if error is None:
        return ""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f" in {place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else ""
    return f": {type(error).__name__}{where}"
