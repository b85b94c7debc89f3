"""Know by its name, or by a quick look, what may be secret.

In: a header, parameter or key name; or bytes. Out: yes or no. The quick look never misses what the
careful readers would find; most bodies end here, at the cost of one pass over the bytes. Pure.
"""

import re
from functools import lru_cache
from urllib.parse import unquote_plus

from ahocorasick_rs import BytesAhoCorasick

SECRET_PARTS = (
    "access-key", "api-key", "auth-key", "authorization", "cookie", "credential", "csrf", "cvc",
    "cvv", "jwt", "passphrase", "passwd", "password", "private-key", "pwd", "secret", "session",
    "signature", "token", "xsrf",
)  # fmt: skip
"""A name is secret when it holds one of these, however it is written: apiKey, API-Key, api_key."""

SECRET_NAMES = ("auth", "x-auth")
"""Names that are secret as a whole, but not inside others, such as `author`."""

_COUNTS = "tokens"
"""`max_tokens: 100` counts; it does not open anything."""

_FLAT_PARTS = tuple(part.replace("-", "") for part in SECRET_PARTS)
_FLAT_NAMES = frozenset(name.replace("-", "") for name in SECRET_NAMES)
_SEPARATORS = str.maketrans("", "", "-_ ")
_LONGEST_REMEMBERED_NAME = 100

# For the quick look: lower case, every digit as 0, separators away.
_FLATTEN = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789", b"abcdefghijklmnopqrstuvwxyz000000000"
)
_DROP = b"-_ +"
_NEEDLES = (
    *(part.encode() for part in _FLAT_PARTS),
    *(name.encode() + end for name in sorted(_FLAT_NAMES) for end in (b'"', b"=", b":", b"\\")),
    b"0" * 13,  # a card, or a number beyond 64 bits
    b"eyj",  # a JWT
    b"bearer",
    b"0e000",  # a number beyond a double
)
_FINDER = BytesAhoCorasick(_NEEDLES)
_ESCAPED_ASCII = re.compile(rb"\\u00[2-7]")
_USERINFO = re.compile(rb"://[^/?#@:\s]{0,400}:[^/?#@\s]{1,400}@")


def is_secret(name: str, value: object) -> bool:
    """Tell whether the value of a JSON key must be masked; nothing and yes or no tell nothing."""
    if value is None or value == "" or isinstance(value, bool) or not is_secret_name(name):
        return False
    return not (isinstance(value, int | float) and name.lower().endswith(_COUNTS))


def is_secret_name(name: str) -> bool:
    """Tell whether a header, parameter or key of this name holds a secret."""
    if len(name) > _LONGEST_REMEMBERED_NAME:
        return _judge(name)
    return _remember(name)


def _judge(name: str) -> bool:
    flat = name.lower().translate(_SEPARATORS)
    return flat in _FLAT_NAMES or any(part in flat for part in _FLAT_PARTS)


_remember = lru_cache(maxsize=4096)(_judge)


def may_hold_secrets(raw: bytes) -> bool:
    """Tell whether a careful look is worth its while."""
    return (
        bool(_FINDER.find_matches_as_indexes(raw.translate(_FLATTEN, _DROP)))
        or (b"\\u00" in raw and _ESCAPED_ASCII.search(raw) is not None)
        or (b"@" in raw and b"://" in raw and _USERINFO.search(raw) is not None)
    )


def may_text_hold_secrets(text: str) -> bool:
    """Tell the same of text that may be part of a URI."""
    plain = unquote_plus(text) if "%" in text else text
    return may_hold_secrets(plain.encode())
