"""Read from a trace's state how many spans one kept span stands for.

In: a W3C `tracestate`. Out: the weight, 1 when nothing is said. OpenTelemetry writes the share of
traces that sampling drops as `ot=th:…`: hexadecimal digits of a fraction, without trailing zeros.
Pure.
"""

import re

_THRESHOLD = re.compile(r"(?:^|,)\s*ot=(?:[^,;]*;)*th:([0-9a-f]{1,14})(?=[;,\s]|$)")
_DIGITS = 14
_ALL_TRACES = 1 << 56


def weight_of(trace_state: str) -> int:
    """Return how many spans the one stands for, to the nearest whole number."""
    found = _THRESHOLD.search(trace_state)
    if found is None:
        return 1
    dropped = int(found[1].ljust(_DIGITS, "0"), 16)
    return round(_ALL_TRACES / (_ALL_TRACES - dropped))
