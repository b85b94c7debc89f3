"""Say what can be set, and what the application's own functions are given.

In: keyword arguments of `CaptureASGI` and `CaptureWSGI`. Out: one checked set of options.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

DEFAULT_URL = "http://127.0.0.1:8000"


@dataclass(frozen=True)
class Response:
    """What the application answered, as hooks see it."""

    status: int
    headers: Mapping[str, str]
    """Lower-case names."""


Hook = Callable[[Any, Response], Any]
"""Called with the ASGI scope or the WSGI environ, and the response, when the answer is out.

Under ASGI it may be a coroutine function. What it raises is logged and changes nothing else.
"""


@dataclass(frozen=True, kw_only=True)
class Options:
    """How calls are captured and sent."""

    application_id: str
    """The collector application id of the app: `headwater apps list`."""
    url: str = DEFAULT_URL
    """The collector, without `/v1/events/batch`."""
    identify_user: Hook | None = None
    """Return the user's id, or None."""
    identify_company: Hook | None = None
    """Return the company's id, or None."""
    get_metadata: Hook | None = None
    """Return a dictionary to keep with the call, or None."""
    skip: Hook | None = None
    """Return True to leave the call out."""
    mask_event: Callable[[dict[str, Any]], dict[str, Any] | None] | None = None
    """Change the event before it leaves, or return None to leave it out.

    Runs on the background thread. An event that it fails on is not sent.
    """
    capture_bodies: bool = True
    max_body_bytes: int = 100_000
    """Larger bodies are not kept; the event says so."""
    queue_events: int = 20_000
    queue_bytes: int = 50_000_000
    """Calls beyond either limit are counted and forgotten, until there is room again."""
    batch_events: int = 500
    flush_every_s: float = 0.25
    timeout_s: float = 10.0
    give_up_after_s: float = 300.0
    """A batch that the collector has not taken by then is counted and forgotten."""
    close_timeout_s: float = 2.0
    """How long `close`, and the end of the process, waits for what is not sent yet."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"url must be http://host or https://host, not {self.url!r}")
        if not self.application_id:
            raise ValueError("application_id must not be empty")

    @property
    def has_hooks(self) -> bool:
        """Tell whether anything of the application's own runs for each call."""
        return any((self.identify_user, self.identify_company, self.get_metadata, self.skip))
