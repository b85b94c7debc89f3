"""Ask the application's own functions, and survive whatever they do.

In: a hook, the request, the response. Out: its answer, or None when it failed.
"""

import logging
from typing import Any

from headwater.middleware.options import Hook, Response

_log = logging.getLogger("headwater.middleware")


def ask(hook: Hook | None, request: Any, response: Response) -> Any:
    """Return what the hook says; None without a hook, or when it raised."""
    if hook is None:
        return None
    try:
        return hook(request, response)
    except Exception:  # noqa: BLE001 - a hook of the application may raise anything
        warn_of(hook)
        return None


def warn_of(hook: Hook | None) -> None:
    """Log the error that is being handled."""
    _log.warning("The hook %r failed", hook, exc_info=True)


def to_id(answer: Any) -> str | None:
    """Return an id as text; numbers are ids too."""
    return None if answer is None or answer == "" else str(answer)
