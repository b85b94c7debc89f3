"""Name schemas, tables and columns the way Segment names them.

In: names as people and programs wrote them. Out: snake case over [a-z0-9_], cut to what the
database can hold. Pure. Everything that is no ASCII letter or digit only separates, so converting
the parts of a path and joining them equals converting the joined path.
"""

import hashlib
import re
from functools import lru_cache

_WORD = re.compile(r"[A-Z0-9]*[a-z0-9]*")
_HASH_DIGITS = 8


@lru_cache(maxsize=65_536)
def to_snake(name: str) -> str:
    """Return `name` in Segment's snake case; empty when it holds no ASCII letter or digit.

    A run of capitals stays with the small letters that follow it: `APIKey` becomes `apikey`.
    """
    return "_".join(word.lower() for word in _WORD.findall(name) if word)


def shorten(identifier: str, max_bytes: int) -> str:
    """Return `identifier` within `max_bytes`, ending in a hash of the whole when it was cut."""
    if len(identifier) <= max_bytes:  # our identifiers are ASCII: one byte a character
        return identifier
    digest = hashlib.blake2b(identifier.encode(), digest_size=_HASH_DIGITS // 2).hexdigest()
    return f"{identifier[: max_bytes - _HASH_DIGITS - 1]}_{digest}"
