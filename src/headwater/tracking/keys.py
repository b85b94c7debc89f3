"""Recognise write keys: where clients put them, and which source they belong to.

In: an `Authorization` header, or the key itself. Out: a source. Answers come from memory; a key
that was made, revoked or switched off is noticed within `REFRESH_S`.
"""

import base64
import binascii

from headwater.base.clock import Clock
from headwater.base.errors import NotAllowedError, NotAuthenticatedError
from headwater.configdb import ConfigDb
from headwater.sources import Source, find_by_write_key

REFRESH_S = 2.0
_MOST_REMEMBERED = 10_000
_LONGEST_KEY = 64


def read_basic(header: str) -> str:
    """Return the user name of `Basic` credentials: the write key, with or without a colon."""
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        text = base64.b64decode(credentials.strip() + "==").decode()
    except (binascii.Error, ValueError):
        return ""
    return text.partition(":")[0]


class SourceKeys:
    """The door's memory of who may write."""

    def __init__(self, configdb: ConfigDb, clock: Clock) -> None:
        self._configdb = configdb
        self._clock = clock
        self._known: dict[str, tuple[float, Source | None]] = {}

    async def find(self, write_key: str) -> Source | None:
        """Return the source that `write_key` belongs to, enabled or not."""
        if not 0 < len(write_key) <= _LONGEST_KEY:
            return None
        now_s = self._clock.monotonic_s()
        remembered = self._known.get(write_key)
        if remembered is not None and now_s - remembered[0] < REFRESH_S:
            return remembered[1]
        source = await self._configdb.look(find_by_write_key, write_key)
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        self._known[write_key] = (now_s, source)
        return source

    async def enter(self, write_key: str) -> Source:
        """Return the source that may be written to, or raise what the client must be told."""
        source = await self.find(write_key)
        if source is None:
            raise NotAuthenticatedError(
                "No source has this write key." if write_key else "A write key is needed.",
                hint="Send it as the user name of Basic authorization, or as `writeKey`.",
                reason="invalid_write_key",
                names_key=bool(write_key),
            )
        if not source.enabled:
            raise NotAllowedError(
                f"The source {source.slug} is disabled.", reason="source_disabled"
            )
        return source
