"""Read a message out of the address of an image, as e-mails load it.

In: a query string: `data` with JSON in base64, or plain fields with dots for levels. Out: the
message as JSON, and the image. Whoever reads an e-mail is shown no error: the image always comes.
"""

import base64
import binascii
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from headwater.base.errors import InvalidInputError

IMAGE = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""A transparent GIF of one pixel."""
MEDIA = b"image/gif"
_MOST_FIELDS = 1_000
_MOST_LEVELS = 20


def read_pixel(query: str) -> bytes:
    """Return the message as JSON; fields beside `data` complete it."""
    try:
        fields = dict(parse_qsl(query, keep_blank_values=False, max_num_fields=_MOST_FIELDS))
    except ValueError as err:
        raise _unreadable("has too many fields") from err
    message = _decode(fields.pop("data", ""))
    for name, value in fields.items():
        _put(message, name.split("."), value)
    return msgspec.json.encode(message)


def _decode(data: str) -> dict[str, Any]:
    """Return what `data` holds, in either alphabet of base64, with or without padding."""
    if not data:
        return {}
    text = data.replace("-", "+").replace("_", "/").replace(" ", "+")
    try:
        return msgspec.json.decode(base64.b64decode(text + "=" * (-len(text) % 4)), type=dict)
    except (binascii.Error, ValueError, msgspec.DecodeError, RecursionError) as err:
        raise _unreadable("holds no JSON object in base64 as `data`") from err


def _put(message: dict[str, Any], path: list[str], value: str) -> None:
    if len(path) > _MOST_LEVELS:
        raise _unreadable("is nested too deeply")
    *above, name = path
    for level in above:
        inner = message.get(level)
        message[level] = message = dict(inner) if isinstance(inner, dict) else {}
    message[name] = value


def _unreadable(why: str) -> InvalidInputError:
    return InvalidInputError(f"The address of the pixel {why}.", reason="invalid_json")
