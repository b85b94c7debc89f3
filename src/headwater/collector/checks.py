"""Check and bound the plain texts of what clients send, the same for calls, actions and profiles.

In: a text, and its place in the item. Out: the text as it may be kept. Raises `InvalidInputError`
with the place. Pure.
"""

from headwater.base.errors import InvalidInputError

LONGEST_ID_BYTES = 512
_SURELY_SHORT = LONGEST_ID_BYTES // 4
"""Characters: each has at most four bytes."""
_LONGEST_LABEL = 512


def checked_id(value: str | None, path: str) -> str:
    """Return an id as it is, "" when not given; ids are compared byte by byte, never changed."""
    if not value:
        return ""
    if len(value) > _SURELY_SHORT and len(value.encode()) > LONGEST_ID_BYTES:
        raise InvalidInputError(f"An id has at most {LONGEST_ID_BYTES} bytes.", field=path)
    return value


def required(text: str, path: str) -> str:
    """Return a text that says something."""
    if not text.strip():
        raise InvalidInputError("This is required.", field=path)
    return text


def label(text: str | None) -> str:
    """Return a text that only describes, cut to what is worth keeping."""
    return text[:_LONGEST_LABEL] if text else ""
