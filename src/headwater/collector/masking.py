"""Mask secrets in what was captured, before it reaches the log.

In: headers, URIs, bodies, plain text. Out: the same with each secret value replaced by `MARK`; the
very same bytes when there is nothing to hide. Masked are: values under a secret name (in headers,
query strings, forms, multipart parts, JSON at any depth), JWT-shaped strings, bearer tokens, the
password of a URI, and 13 to 19 digits that pass the Luhn check. On by default. Pure.
"""

import base64
import binascii
import re
from typing import Any

from headwater.base.errors import InvalidInputError
from headwater.collector.json_text import check_depth, read_json, write_json
from headwater.collector.secret_names import (
    is_secret,
    is_secret_name,
    may_hold_secrets,
    may_text_hold_secrets,
)
from headwater.collector.secret_text import MARK, is_card, mask_form, mask_query, mask_words

_TOO_BIG_NUMBER = re.compile(rb"\d{20,}|\d[eE]\+?\d{3,}")


def mask_headers(headers: dict[str, str]) -> dict[str, str]:
    """Return the headers with lower-case names and masked values."""
    masked = {
        name.lower(): MARK if is_secret_name(name) else value for name, value in headers.items()
    }
    if may_text_hold_secrets("\n".join(masked.values())):
        return {name: mask_text(value) for name, value in masked.items()}
    return masked


def mask_uri(uri: str) -> str:
    """Return a URI or path with its password and secret parameters masked."""
    return mask_query(uri) if may_text_hold_secrets(uri) else uri


def mask_json(raw: bytes) -> bytes:
    """Return a JSON document masked, and without numbers that other readers cannot hold."""
    if not may_hold_secrets(raw):
        return raw
    value = read_json(raw)
    masked = _mask_value(value)
    return write_json(masked) if masked != value or _TOO_BIG_NUMBER.search(raw) else raw


def mask_body(raw: bytes, encoding: str) -> bytes:
    """Return a captured body masked: JSON, or base64 of anything."""
    if encoding != "base64":
        return mask_json(raw)
    try:
        data = base64.b64decode(read_json(raw), validate=True)
    except (binascii.Error, TypeError, ValueError):
        return mask_json(raw)
    masked = _mask_bytes(data)
    return raw if masked == data else write_json(base64.b64encode(masked).decode())


def mask_text(text: str) -> str:
    """Return plain text of any kind masked: JSON, a form, multipart, or words."""
    if not may_text_hold_secrets(text):
        return text
    if text.lstrip()[:1] in {"{", "["}:
        return _mask_json_text(text)
    form = mask_form(text)
    return mask_words(text) if form is None else form


def _mask_json_text(text: str) -> str:
    try:
        check_depth(text.encode(), "$")
        value = read_json(text)
    except InvalidInputError:
        return mask_words(text)
    masked = _mask_value(value)
    return text if masked == value else write_json(masked).decode()


def _mask_value(value: Any) -> Any:
    match value:
        case dict():
            return {
                name: MARK if is_secret(name, inner) else _mask_value(inner)
                for name, inner in value.items()
            }
        case list():
            return [_mask_value(inner) for inner in value]
        case str():
            return mask_text(value)
        case bool():
            return value
        case int():
            return MARK if is_card(str(value)) else value
        case _:
            return value


def _mask_bytes(data: bytes) -> bytes:
    try:
        return mask_text(data.decode()).encode()
    except UnicodeDecodeError:
        # A form with a file in it: Latin-1 gives each byte back as it was.
        return mask_words(data.decode("latin-1")).encode("latin-1")
