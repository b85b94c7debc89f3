"""Read one profile update into the state that it alone would give.

In: a `ProfileUpdate` as it came. Out: a `ProfileState` to merge. Pure, and never fails on data:
nulls and empty objects say nothing, arrays and scalars are values, and what is too long, too deep
or not readable is left out and marked.
"""

import json
from typing import Any

import msgspec
from msgspec import Raw

from headwater.model import ProfileUpdate
from headwater.profiles.merge import (
    CAMPAIGN,
    INITIAL_CAMPAIGN,
    Leaf,
    Path,
    ProfileState,
    keep_leaves,
)

LONGEST_VALUE_BYTES = 8_192
DEEPEST_PATH = 16
_WHOLE = frozenset({(CAMPAIGN,), (INITIAL_CAMPAIGN,)})
"""One touch is one value: the source of one visit beside the term of another would be a lie."""
_LARGEST_INT = 2**63


def fold(update: ProfileUpdate) -> ProfileState:
    """Return what this one update says."""
    fields = _read_fields(bytes(update.fields))
    at = min(update.time, update.received_at)  # a clock that is ahead must not win for ever
    values = _find_values(_put_links(fields or {}, update))
    leaves = keep_leaves(
        {
            path: Leaf(path, Raw(value), at, update.update_id)
            for path, value in values.items()
            if value is not None and len(value) <= LONGEST_VALUE_BYTES
        }
    )
    return ProfileState(
        created_at=at,
        modified_at=at,
        anonymous=not update.id,
        leaves=leaves,
        anonymous_ids=(update.anonymous_id,) if update.anonymous_id else (),
        session_keys=(update.session_key,) if update.session_key else (),
        overflowed=fields is None or len(leaves) < len(values),
    )


def _read_fields(raw: bytes) -> dict[str, Any] | None:
    if not raw:
        return {}
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        value = _read_tolerantly(raw)
    return value if isinstance(value, dict) else None


def _read_tolerantly(raw: bytes) -> Any:
    """Read what msgspec refuses and some clients send: half surrogates, broken UTF-8, NaN."""
    try:
        value = json.loads(raw.decode("utf-8", "replace"), parse_constant=str)
        text = json.dumps(value, ensure_ascii=False)
        return msgspec.json.decode(text.encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def _put_links(fields: dict[str, Any], update: ProfileUpdate) -> dict[str, Any]:
    """Add the company and the first touch, as values like any other."""
    for name in (CAMPAIGN, INITIAL_CAMPAIGN):
        if isinstance(fields.get(name), dict):
            fields[name] = {k: v for k, v in fields[name].items() if v not in (None, "", {})}
    if fields.get(INITIAL_CAMPAIGN) in (None, {}):
        fields[INITIAL_CAMPAIGN] = fields.get(CAMPAIGN)
    if update.company_id:
        fields["company_id"] = update.company_id
    return fields


def _find_values(fields: dict[str, Any]) -> dict[Path, bytes | None]:
    """Return each path that ends in something other than an object, with its JSON."""
    found: dict[Path, bytes | None] = {}
    waiting: list[tuple[Path, Any]] = [((key,), value) for key, value in fields.items()]
    while waiting:
        path, value = waiting.pop()
        if value is None or value == {}:
            continue
        if isinstance(value, dict) and len(path) < DEEPEST_PATH and path not in _WHOLE:
            waiting += [((*path, key), inner) for key, inner in value.items()]
        else:
            found[path] = _write(value)
    return found


def _write(value: Any) -> bytes | None:
    try:
        return msgspec.json.encode(_shorten_integers(value))
    except RecursionError:
        return None


def _shorten_integers(value: Any) -> Any:
    """Write integers beyond 64 bits as text: readers differ about them, so one rule for all."""
    if isinstance(value, int) and not -_LARGEST_INT <= value < _LARGEST_INT:
        return str(value)
    if isinstance(value, list):
        return [_shorten_integers(item) for item in value]
    if isinstance(value, dict):
        return {key: _shorten_integers(item) for key, item in value.items()}
    return value
