"""Decide what becomes of each item that a client sent: a record, or a reject with its reason.

In: a request's body, and who sent it when. Out: encoded records for the log: secrets masked, ids
checked, sizes bounded. One bad item never costs another. Raises only when nothing is JSON. Pure.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec

from headwater.base.errors import InvalidInputError
from headwater.base.ids import new_id
from headwater.base.vault import Vault
from headwater.collector.arrival import Arrival
from headwater.collector.bodies import cut_bodies
from headwater.collector.calls import to_call
from headwater.collector.decode import read_events, read_objects
from headwater.collector.json_text import too_deep, write_json
from headwater.collector.profile_items import to_profile
from headwater.collector.secret_text import mask_words
from headwater.collector.wire import NotUnderstood, Understood
from headwater.model import ApiCall, ProfileKind, ProfileUpdate, Reject

_SAMPLE_READ_BYTES = 65_536
_SAMPLE_CHARACTERS = 4_096

T = TypeVar("T")


class Accepted(msgspec.Struct, frozen=True):
    """What goes to the log."""

    records: list[bytes]
    """One for each item that was sent, in order."""
    rejected: int


def accept_events(body: bytes, arrival: Arrival, vault: Vault, max_bytes: int) -> Accepted:
    """Return the records of a post to `/v1/events` or `/v1/events/batch`."""

    def settle(item: Understood) -> bytes:
        return _encode_call(to_call(item, arrival, vault, max_bytes), max_bytes)

    return _accept(read_events(body), "event", arrival, settle)


def accept_profiles(
    body: bytes, kind: ProfileKind, arrival: Arrival, vault: Vault, max_bytes: int
) -> Accepted:
    """Return the records of a post of users or companies."""

    def settle(item: dict[str, object]) -> bytes:
        return _encode(to_profile(item, kind, arrival, vault), max_bytes)

    return _accept(read_objects(body), kind, arrival, settle)


def _accept(
    items: Iterable[T | NotUnderstood],
    kind: str,
    arrival: Arrival,
    settle: Callable[[T], bytes],
) -> Accepted:
    records, rejected = [], 0
    for item in items:
        outcome = item if isinstance(item, NotUnderstood) else _try(item, settle)
        if isinstance(outcome, NotUnderstood):
            rejected += 1
            outcome = write_json(_to_reject(outcome, kind, arrival))
        records.append(outcome)
    return Accepted(records, rejected)


def _try(item: T, settle: Callable[[T], bytes]) -> bytes | NotUnderstood:
    try:
        return settle(item)
    except InvalidInputError as err:
        return NotUnderstood(write_json(item), err)
    except RecursionError:
        return NotUnderstood(b"", too_deep())


def _encode_call(call: ApiCall, max_bytes: int) -> bytes:
    record = write_json(call)
    return record if len(record) <= max_bytes else _encode(cut_bodies(call, max_bytes), max_bytes)


def _encode(record: ApiCall | ProfileUpdate, max_bytes: int) -> bytes:
    encoded = write_json(record)
    if len(encoded) > max_bytes:
        raise InvalidInputError(
            f"This is larger than {max_bytes} bytes without its bodies.", field="$"
        )
    return encoded


def _to_reject(bad: NotUnderstood, kind: str, arrival: Arrival) -> Reject:
    text = bad.item[:_SAMPLE_READ_BYTES].decode("utf-8", "replace")
    return Reject(
        app_id=arrival.app_id,
        reject_id=new_id("rej"),
        received_at=arrival.received_at,
        kind=kind,
        reason=bad.error.message,
        field=bad.error.field,
        sample=mask_words(text)[:_SAMPLE_CHARACTERS],
    )
