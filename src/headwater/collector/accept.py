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
from headwater.collector.actions import to_action
from headwater.collector.arrival import Arrival
from headwater.collector.bodies import cut_bodies
from headwater.collector.calls import to_call
from headwater.collector.decode import read_events, read_objects
from headwater.collector.hiding import hide_secrets
from headwater.collector.json_text import too_deep, write_json
from headwater.collector.masking import Masker, masker_for
from headwater.collector.profile_items import to_profile
from headwater.collector.wire import NotUnderstood, Understood
from headwater.model import Action, ApiCall, ProfileKind, ProfileUpdate, Reject

_SAMPLE_READ_BYTES = 65_536
_SAMPLE_CHARACTERS = 4_096

S = TypeVar("S")
T = TypeVar("T")


class Accepted(msgspec.Struct, frozen=True):
    """What goes to the log."""

    records: list[bytes]
    """One for each item that was sent, in order, but those that were left out."""
    rejected: int
    ignored: int = 0
    """Items that tell nothing about the API, such as spans of a database."""
    dropped: int = 0
    """Calls that a sampling rule leaves out."""
    reason: str = ""
    """Of the first reject, with its place."""


def accept_events(body: bytes, arrival: Arrival, vault: Vault, max_bytes: int) -> Accepted:
    """Return the records of a post to `/v1/events` or `/v1/events/batch`."""
    masker = masker_for(arrival.masking, vault)

    def settle(item: Understood) -> ApiCall:
        return to_call(item, arrival, vault, masker, max_bytes)

    return accept_calls(read_events(body), "event", arrival, masker, max_bytes, settle)


def accept_calls(
    items: Iterable[T | NotUnderstood],
    kind: str,
    arrival: Arrival,
    masker: Masker,
    max_bytes: int,
    settle: Callable[[T], ApiCall],
) -> Accepted:
    """Return the records of what `settle` makes of each item, their secrets hidden."""
    settled = [item if isinstance(item, NotUnderstood) else _try(item, settle) for item in items]
    kept = [one for one in settled if not (isinstance(one, ApiCall) and arrival.drops.drop(one))]
    hide_secrets([call for call in kept if isinstance(call, ApiCall)], masker)
    accepted = accept_items(
        kept, kind, arrival, masker, lambda call: _encode_call(call, masker, max_bytes)
    )
    return msgspec.structs.replace(accepted, dropped=len(settled) - len(kept))


def accept_actions(body: bytes, arrival: Arrival, vault: Vault, max_bytes: int) -> Accepted:
    """Return the records of a post to `/v1/actions` or `/v1/actions/batch`."""
    in_batch = body.lstrip()[:1] == b"["
    masker = masker_for(arrival.masking, vault)

    def settle(item: dict[str, object]) -> bytes:
        return _encode(to_action(item, arrival, vault, masker, in_batch=in_batch), max_bytes)

    return accept_items(read_objects(body), "action", arrival, masker, settle)


def accept_profiles(
    body: bytes, kind: ProfileKind, arrival: Arrival, vault: Vault, max_bytes: int
) -> Accepted:
    """Return the records of a post of users, companies or subscriptions."""
    masker = masker_for(arrival.masking, vault)

    def settle(item: dict[str, object]) -> bytes:
        return _encode(to_profile(item, kind, arrival, vault, masker), max_bytes)

    return accept_items(read_objects(body), kind, arrival, masker, settle)


def accept_items(
    items: Iterable[T | NotUnderstood],
    kind: str,
    arrival: Arrival,
    masker: Masker,
    settle: Callable[[T], bytes],
) -> Accepted:
    """Return what `settle` makes of each item, or a reject in its place."""
    records, rejected, reason = [], 0, ""
    for item in items:
        outcome = item if isinstance(item, NotUnderstood) else _try(item, settle)
        if isinstance(outcome, NotUnderstood):
            rejected += 1
            reason = reason or f"{outcome.error.field}: {outcome.error.message}"
            outcome = write_json(_to_reject(outcome, kind, arrival, masker))
        records.append(outcome)
    return Accepted(records, rejected, reason=reason)


def _try(item: T, settle: Callable[[T], S]) -> S | NotUnderstood:
    try:
        return settle(item)
    except InvalidInputError as err:
        return NotUnderstood(write_json(item), err)
    except RecursionError:
        return NotUnderstood(b"", too_deep())


def _encode_call(call: ApiCall, masker: Masker, max_bytes: int) -> bytes:
    record = write_json(call)
    if len(record) <= max_bytes:
        return record
    return _encode(cut_bodies(call, masker, max_bytes), max_bytes)


def _encode(record: ApiCall | Action | ProfileUpdate, max_bytes: int) -> bytes:
    encoded = write_json(record)
    if len(encoded) > max_bytes:
        raise InvalidInputError(
            f"This is larger than {max_bytes} bytes without its bodies.", field="$"
        )
    return encoded


def _to_reject(bad: NotUnderstood, kind: str, arrival: Arrival, masker: Masker) -> Reject:
    return Reject(
        app_id=arrival.app_id,
        reject_id=new_id("rej"),
        received_at=arrival.received_at,
        kind=kind,
        reason=bad.error.message,
        field=bad.error.field,
        sample=masker.sample(bad.item[:_SAMPLE_READ_BYTES])[:_SAMPLE_CHARACTERS],
    )
