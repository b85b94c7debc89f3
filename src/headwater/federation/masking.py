"""Hide what looks like a secret before people see a message.

In: any JSON value. Out: the same shape; values behind telling names are stars. Pure.
"""

import re
from typing import Any

HIDDEN = "***"
_TELLING = re.compile(
    r"pass(word|wd|phrase)|secret|token|api[-_]?key|authorization|cookie|session|credential"
    r"|card[-_]?number|cvc|cvv|ssn",
    re.IGNORECASE,
)


def hide_secrets(value: Any) -> Any:
    """Return a copy with values of telling names hidden."""
    if isinstance(value, dict):
        return {
            name: HIDDEN if one and _TELLING.search(name) else hide_secrets(one)
            for name, one in value.items()
        }
    if isinstance(value, list):
        return [hide_secrets(one) for one in value]
    return value
