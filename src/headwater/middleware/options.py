"""Say what can be set, and what the application's own functions are given.

In: keyword arguments of `CaptureASGI` and `CaptureWSGI`. Out: one checked set of options.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

VERSION = "0.1.0"
DEFAULT_URL = "http://127.0.0.1:8000"


@dataclass(frozen=True)
class Response:
    """What the application answered, as hooks see it."""

    status: int
    headers: Mapping[str, str]
    """Lower-case names."""


Hook = Callable[[Any, Response], Any]
"""Called with the ASGI scope or the WSGI environ, and the response, when the answer is out.

Under ASGI it may be a coroutine function. What it raises is counted and changes nothing else.
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
    get_session_token: Hook | None = None
    """Return the API key or token of the call, or None; the collector keeps a fingerprint."""
    get_metadata: Hook | None = None
    """Return a dictionary to keep with the call, or None."""
    skip: Hook | None = None
    """Return True to leave the call out."""
    mask_event: Callable[[dict[str, Any]], Any] | None = None
    """Change the event before it leaves, and return it; None leaves it out.

    Runs on the background thread, also when it is a coroutine function. An event that it fails on
    is not sent.
    """
    capture_bodies: bool = True
    max_body_bytes: int = 100_000
    """Larger bodies are not kept; the event says so."""
    mask_secrets: bool = True
    """Hide secret headers and query parameters here; off, all masking is the collector's."""
    client_ip_header: str = ""
    """The header in which a trusted proxy names the client first, such as `x-forwarded-for`."""
    queue_events: int = 20_000
    queue_bytes: int = 50_000_000
    """Calls beyond either limit are counted and forgotten, until there is room again."""
    batch_events: int = 500
    flush_every_s: float = 0.25
    timeout_s: float = 10.0
    """How long one post may take."""
    spool_dir: str | Path | None = None
    """A folder where batches wait until the collector has them; None keeps them in memory."""
    backlog_bytes: int = 50_000_000
    """How much may wait for the collector, compressed; the oldest batches make room."""
    give_up_after_s: float = 86_400.0
    """A batch that the collector has not taken by then is counted and forgotten."""
    config_every_s: float = 60.0
    """How often the collector is asked for its sampling rates; 0: never, everything is sent."""
    close_timeout_s: float = 2.0
    """How long `close`, and the end of the process, waits for what is not sent yet."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("url must be http://host or https://host")
        if parts.username or parts.password:
            raise ValueError("url must not hold a user or a password")
        if not self.application_id:
            raise ValueError("application_id must not be empty")

    @property
    def has_hooks(self) -> bool:
        """Tell whether anything of the application's own runs for each call."""
        return any(self.hooks)

    @property
    def hooks(self) -> tuple[Hook | None, ...]:
        """Return what is asked after each call."""
        return (
            self.skip,
            self.identify_user,
            self.identify_company,
            self.get_session_token,
            self.get_metadata,
        )
