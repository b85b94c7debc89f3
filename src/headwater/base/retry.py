"""Say when to try again.

In: how often it failed, and what the peer asked for. Out: seconds to wait. No sleeping here.
"""

import random
from collections.abc import Callable


def backoff_s(
    attempt: int,
    *,
    first_s: float = 1.0,
    cap_s: float = 900.0,
    draw: Callable[[], float] = random.random,
) -> float:
    """Return full-jitter exponential backoff: uniform in (0, min(cap, first * 2^(attempt-1))].

    Full jitter spreads a crowd of retries best; never zero, so a failing peer gets some rest.
    """
    ceiling = min(cap_s, first_s * 2.0 ** max(0, min(attempt - 1, 40)))
    return max(0.05 * ceiling, draw() * ceiling)


def retry_after_s(
    header: str | None, *, least_s: float = 1.0, most_s: float = 86_400.0
) -> float | None:
    """Read a `Retry-After` header of whole seconds; None when absent or not a number."""
    if header is None or not header.strip().isdigit():
        return None
    return min(most_s, max(least_s, float(header.strip())))
