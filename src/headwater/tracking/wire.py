"""Read a request's body: one message or a batch, whatever content type it claims.

In: decompressed bytes. Out: the envelope, and each item with its own fate, so that a bad one never
costs the others. Knows JSON and sizes; what a message must hold is judged in `normalise`.
"""

from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from headwater.base.errors import InvalidInputError
from headwater.tracking.salvage import TooDeepError, read_leniently, split_batch, tidy

_BOM = b"\xef\xbb\xbf"


class Unreadable(msgspec.Struct, frozen=True):
    """An item that is no message at all; `code` says why."""

    code: str


Item = dict[str, Any] | Unreadable


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What surrounds the items of a request."""

    items: list[bytes]
    is_batch: bool
    write_key: str = ""
    sent_at: Any = None
    context: dict[str, Any] = {}
    integrations: dict[str, Any] = {}


class _Batch(msgspec.Struct, rename="camel"):
    batch: list[Raw] | UnsetType = UNSET
    write_key: Any = None
    sent_at: Any = None
    context: Any = None
    integrations: Any = None


def read_envelope(body: bytes) -> Envelope:
    """Find the items; a body with `batch` is a batch on every path."""
    body = body.removeprefix(_BOM)
    try:
        found = msgspec.json.decode(body, type=_Batch)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _read_odd_envelope(body)
    if isinstance(found.batch, UnsetType):
        return _envelope(found, [body], is_batch=False)
    return _envelope(found, [bytes(raw) for raw in found.batch], is_batch=True)


def _read_odd_envelope(body: bytes) -> Envelope:
    text = body.decode("utf-8", "replace")
    parts = split_batch(text)
    head, items = parts if parts is not None else (text, [])
    try:
        found = msgspec.convert(tidy(read_leniently(head)), _Batch)
    except TooDeepError as err:
        raise _invalid("The JSON is nested too deeply.") from err
    except msgspec.ValidationError as err:
        raise _invalid("The body must be a JSON object, and `batch` an array.") from err
    except ValueError as err:
        raise _invalid("The body is not JSON.") from err
    raws = [body] if parts is None else [item.encode("utf-8") for item in items]
    return _envelope(found, raws, is_batch=parts is not None)


def _envelope(found: _Batch, items: list[bytes], *, is_batch: bool) -> Envelope:
    return Envelope(
        items=items,
        is_batch=is_batch,
        write_key=found.write_key if isinstance(found.write_key, str) else "",
        sent_at=found.sent_at,
        context=found.context if is_batch and isinstance(found.context, dict) else {},
        integrations=found.integrations
        if is_batch and isinstance(found.integrations, dict)
        else {},
    )


def read_item(raw: bytes, max_bytes: int) -> Item:
    """Read one message; what a strict parser refuses is read leniently and mended."""
    if len(raw) > max_bytes:
        return Unreadable("too_large")
    try:
        value = tidy(_decode(raw))
    except TooDeepError:
        return Unreadable("too_deep")
    except ValueError:
        return Unreadable("invalid_json")
    return value if isinstance(value, dict) else Unreadable("not_object")


def _decode(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return read_leniently(raw.removeprefix(_BOM).decode("utf-8", "replace"))


def _invalid(message: str) -> InvalidInputError:
    return InvalidInputError(message, reason="invalid_json")
