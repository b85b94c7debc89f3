"""Decide what becomes of each record of an export request.

In: the request's body, and who sent it when. Out: calls and rejects for the log, made and masked as
those of events, and the count of records that tell of no call. Raises `InvalidInputError` when the
body is no export request. Pure.
"""

import hashlib
from collections.abc import Mapping

import msgspec

from headwater.base.errors import InvalidInputError
from headwater.base.vault import Vault
from headwater.collector.accept import Accepted, accept_calls
from headwater.collector.arrival import Arrival
from headwater.collector.calls import to_call
from headwater.collector.masking import masker_for
from headwater.collector.otlp import conventions as names
from headwater.collector.otlp.conventions import Facts
from headwater.collector.otlp.events import is_call, to_event
from headwater.collector.otlp.json_form import read_json_form
from headwater.collector.otlp.protobuf import read_protobuf
from headwater.collector.otlp.records import Record, Signal
from headwater.collector.wire import NotUnderstood
from headwater.model import ApiCall

_SOURCES: Mapping[str, tuple[str, ...]] = {
    "$.request.uri": names.URL,
    "$.request.verb": names.VERB,
    "$.response.status": names.STATUS,
    "$.user_id": names.USER,
    "$.company_id": names.COMPANY,
    "$.anonymous_id": names.ANONYMOUS,
}
"""Which attributes a field of an event was read from."""


def accept_export(
    body: bytes, signal: Signal, arrival: Arrival, vault: Vault, max_bytes: int
) -> Accepted:
    """Return the records of a post to `/v1/traces` or `/v1/logs`."""
    # No binary request begins with a brace.
    is_json = "json" in arrival.content_type.lower() or body.startswith(b"{")
    # The peer is an exporter: its address is not that of anybody who called the API.
    arrival = msgspec.structs.replace(arrival, ip_address="")
    request_key = hashlib.blake2b(body, digest_size=16).digest()

    masker = masker_for(arrival.masking, vault)

    def settle(record: Record) -> ApiCall:
        spare_id = hashlib.blake2b(record.place.encode(), digest_size=16, key=request_key)
        event = to_event(record, spare_id.hexdigest(), masker.address)
        try:
            return to_call(event, arrival, vault, masker, max_bytes)
        except InvalidInputError as err:
            raise _with_place(err, record) from err

    sent = list((read_json_form if is_json else read_protobuf)(body, signal))
    calls = [one for one in sent if isinstance(one, NotUnderstood) or is_call(one, signal)]
    accepted = accept_calls(calls, signal, arrival, masker, max_bytes, settle)
    return msgspec.structs.replace(accepted, ignored=len(sent) - len(calls))


def _with_place(error: InvalidInputError, record: Record) -> InvalidInputError:
    """Return the error with the place in what was sent, instead of that in the event made of it."""
    source = _SOURCES.get(error.field)
    place = Facts(record).place_of(source) if source else record.place
    return InvalidInputError(error.message, field=place, hint=error.hint)
