"""Say how hard to try, and count what was tried.

In: `HEADWATER_FUZZ_FACTOR`, 1 in the suite, and `HEADWATER_FUZZ_TALLY`, a file. Out: settings for
Hypothesis, and one line in the file for each test, which `make fuzz` adds up.
"""

import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings

FACTOR = float(os.environ.get("HEADWATER_FUZZ_FACTOR") or 1)
TIMEOUT_S = int(300 + 600 * FACTOR)
"""Only for what hangs: a busy machine is no fault."""
_TALLY = os.environ.get("HEADWATER_FUZZ_TALLY", "")


def effort(examples: int) -> settings:
    """Return settings for about `examples` examples in the suite, more in a long run."""
    return settings(
        max_examples=max(1, int(examples * FACTOR)),
        deadline=None,
        database=None,
        print_blob=True,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )


@contextmanager
def tally(what: str) -> Iterator[Counter[str]]:
    """Count things for the length of a block, and write them down."""
    counts: Counter[str] = Counter()
    try:
        yield counts
    finally:
        if _TALLY:
            with Path(_TALLY).open("a", encoding="utf-8") as file:
                file.write(json.dumps({"what": what, "counts": counts}) + "\n")
