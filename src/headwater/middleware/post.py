"""Post batches to the collector over one connection that is kept open.

In: gzipped batches. Out: whether they were taken, refused for good, or should come again. Every
trouble of the network means: later.
"""

import http.client
from enum import Enum, auto
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from headwater.middleware.options import Options

_TOO_MANY = 429
_SERVER_ERRORS = 500
_SUCCESS = range(200, 300)
_LONGEST_RETRY_AFTER_S = 60.0


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
        self._path = f"{parts.path.rstrip('/')}/v1/events/batch"
        self._headers = {
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
            "X-Moesif-Application-Id": options.application_id,
            "User-Agent": "headwater-middleware",
        }
        self.retry_after_s = 0.0
        """What the last answer asked for."""

    def post(self, packed: bytes) -> Answer:
        """Send one batch."""
        self.retry_after_s = 0.0
        try:
            self._connection.request("POST", self._path, packed, self._headers)
            response = self._connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return Answer.LATER
        if response.status in _SUCCESS:
            return Answer.TAKEN
        if response.status == _TOO_MANY or response.status >= _SERVER_ERRORS:
            asked = response.getheader("Retry-After", "")
            self.retry_after_s = min(_LONGEST_RETRY_AFTER_S, float(asked) if asked.isdigit() else 0)
            return Answer.LATER
        return Answer.REFUSED

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()
