"""Speak to the collector over one connection that is kept open.

In: gzipped batches. Out: whether they were taken, refused for good, or should come again; the
collector's configuration. Every trouble of the network means: later.
"""

import http.client
from enum import Enum, auto
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from headwater.middleware.options import VERSION, Options

_TOO_MANY, _TIMEOUT = 429, 408
_SERVER_ERRORS = 500
_SUCCESS = range(200, 300)
_LONGEST_RETRY_AFTER_S = 60.0
_TAG = "X-Moesif-Config-ETag"


class Answer(Enum):
    """What the collector made of a batch."""

    TAKEN = auto()
    REFUSED = auto()
    LATER = auto()


class Collector:
    """One connection, opened again whenever it broke."""

    def __init__(self, options: Options) -> None:
        parts = urlsplit(options.url)
        kind = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        self._connection = kind(parts.hostname or "", parts.port, timeout=options.timeout_s)
        self._path = f"{parts.path.rstrip('/')}/v1"
        self._headers = {
            "X-Moesif-Application-Id": options.application_id,
            "User-Agent": f"headwater-middleware/{VERSION}",
        }
        self._posting = {
            **self._headers, "Content-Type": "application/json", "Content-Encoding": "gzip",
        }  # fmt: skip
        self.retry_after_s = 0.0
        """What the last answer asked for."""
        self.config_tag = ""
        """The version of the configuration that the last answer named."""

    def post(self, packed: bytes) -> Answer:
        """Send one batch."""
        self.retry_after_s = 0.0
        try:
            status, _ = self._ask("POST", "/events/batch", packed)
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return Answer.LATER
        if status in _SUCCESS:
            return Answer.TAKEN
        later = status in {_TOO_MANY, _TIMEOUT} or status >= _SERVER_ERRORS
        return Answer.LATER if later else Answer.REFUSED

    def fetch_config(self) -> bytes | None:
        """Return the collector's configuration, or None when it has none to give now."""
        try:
            status, document = self._ask("GET", "/config", None)
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return None
        return document if status in _SUCCESS else None

    def _ask(self, verb: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        headers = self._headers if body is None else self._posting
        self._connection.request(verb, self._path + path, body, headers)
        response = self._connection.getresponse()
        document = response.read()
        asked = response.getheader("Retry-After", "")
        self.retry_after_s = min(_LONGEST_RETRY_AFTER_S, float(asked) if asked.isdigit() else 0)
        self.config_tag = response.getheader(_TAG) or self.config_tag
        return response.status, document

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()
