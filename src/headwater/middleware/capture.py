"""What the two middlewares share: the options, the sender, the counters and the end.

In: keyword arguments. Out: what a capture of one call needs at hand.
"""

from typing import Any

from headwater.middleware.hooks import Hooks
from headwater.middleware.options import DEFAULT_URL, Options
from headwater.middleware.sender import Sender
from headwater.middleware.trouble import Counts


class Capture:
    """An application that is wrapped; see `Options` for what can be set."""

    def __init__(
        self, app: Any, *, application_id: str, url: str = DEFAULT_URL, **options: Any
    ) -> None:
        self._app = app
        self._options = Options(application_id=application_id, url=url, **options)
        self._sender = Sender(self._options)
        self._put = self._sender.put
        self._trouble = self._sender.trouble
        self._hooks = Hooks(self._options, self._trouble) if self._options.has_hooks else None
        self._body_bytes = self._options.max_body_bytes if self._options.capture_bodies else 0

    @property
    def counts(self) -> Counts:
        """Return what became of the calls so far, in this process."""
        return self._trouble.counts

    def close(self, timeout_s: float | None = None) -> None:
        """Send what waits and stop; the end of the process does it too."""
        self._sender.close(timeout_s)
