"""Die on purpose at a named point, so that tests can prove that nothing is lost.

In: `HEADWATER_CRASH_AT=point:n`. Out: the process ends like `kill -9` at the n-th pass of that
point. Without the variable a point costs one comparison.
"""

import os

_WANTED, _, _COUNT = os.environ.get("HEADWATER_CRASH_AT", "").partition(":")  # noqa: TID251 - see above
_left = int(_COUNT or 1)


def crash_point(name: str) -> None:
    """End the process here if the environment asks for it."""
    global _left  # noqa: PLW0603 - one countdown for the whole process
    if name != _WANTED:
        return
    _left -= 1
    if _left == 0:
        os._exit(137)
