"""Make ids and keys.

In: a prefix. Out: sortable ids for our own things, and random keys with 128 bits or more. Ids of
other people's things (users, calls, messages) are never made here: those are opaque strings.
"""

import hashlib
import secrets
import string
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_WRITE_KEY_ALPHABET = string.ascii_letters + string.digits


def new_id(prefix: str) -> str:
    """Return `prefix_` + 20 characters that sort by the millisecond of birth."""
    stamp = int(time.time() * 1000)
    return f"{prefix}_{_base32(stamp, 9)}{_base32(secrets.randbits(55), 11)}"


def new_secret(prefix: str, length_bytes: int = 32) -> str:
    """Return a URL-safe secret of `length_bytes` random bytes behind a readable prefix."""
    return f"{prefix}_{secrets.token_urlsafe(length_bytes)}"


def new_write_key() -> str:
    """Return 32 characters of [A-Za-z0-9], the form of Segment's write keys."""
    return "".join(secrets.choice(_WRITE_KEY_ALPHABET) for _ in range(32))


def new_collector_id() -> str:
    """Return a collector application id: 64 URL-safe characters (clients refuse under 50)."""
    return secrets.token_urlsafe(48)


def stable_id(*parts: str) -> str:
    """Return the same 32 hexadecimal digits for the same parts, for ever."""
    text = "\x1f".join(parts)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _base32(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, rest = divmod(number, 32)
        digits.append(_ALPHABET[rest])
    return "".join(reversed(digits))
