"""Wait for something that becomes true by itself.

In: a question. Out: its first true answer; fails with the last one after a time.
"""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(question: Callable[[], T], within_s: float = 20.0) -> T:
    """Ask until the answer is true; return it."""
    end = time.monotonic() + within_s
    while True:
        answer = question()
        if answer:
            return answer
        assert time.monotonic() < end, f"still {answer!r} after {within_s} s"
        time.sleep(0.05)
