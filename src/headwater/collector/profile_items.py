"""Turn a user, company or subscription that a client sent into the change that the log keeps.

In: one JSON object of `/v1/users`, `/v1/companies` or `/v1/subscriptions`. Out: a `ProfileUpdate`:
checked ids, the session token as a fingerprint, every other field as it came, secrets masked. Pure.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Raw

from headwater.base.errors import InvalidInputError
from headwater.base.ids import new_id
from headwater.base.vault import Vault
from headwater.collector.arrival import Arrival
from headwater.collector.checks import checked_id
from headwater.collector.json_text import check_depth, write_json
from headwater.collector.masking import Masker
from headwater.collector.times import read_time
from headwater.collector.tolerance import as_text
from headwater.model import NO_JSON, ProfileKind, ProfileUpdate

_NEEDED: Mapping[ProfileKind, tuple[str, ...]] = {
    "user": ("user_id",),
    "company": ("company_id",),
    "subscription": ("subscription_id", "company_id"),
}
"""The ids that an item must name; its own comes first."""


def to_profile(
    item: dict[str, Any], kind: ProfileKind, arrival: Arrival, vault: Vault, masker: Masker
) -> ProfileUpdate:
    """Return the record of one profile; null means not given."""
    sent = {name: value for name, value in item.items() if value is not None}
    token = _session_token(sent)
    moment = sent.pop("modified_time", None)
    anonymous_id = _take_id(sent, "anonymous_id")
    ids = {name: _take_id(sent, name) for name in {*_NEEDED[kind], "company_id"}}
    _check_ids(ids, kind, anonymous_id)
    return ProfileUpdate(
        app_id=arrival.app_id,
        kind=kind,
        id=ids[_NEEDED[kind][0]],
        update_id=new_id("upd"),
        time=_read_moment(moment) or arrival.received_at,
        received_at=arrival.received_at,
        anonymous_id=anonymous_id,
        company_id=ids["company_id"],
        session_key=vault.fingerprint(token) if token else "",
        fields=_fields(sent, masker),
    )


def _take_id(sent: dict[str, Any], name: str) -> str:
    value = sent.pop(name, None)
    return "" if value is None else checked_id(as_text(value, f"$.{name}"), f"$.{name}")


def _check_ids(ids: Mapping[str, str], kind: ProfileKind, anonymous_id: str) -> None:
    if kind == "user" and anonymous_id:
        return
    missing = next((name for name in _NEEDED[kind] if not ids[name]), None)
    if missing:
        raise InvalidInputError("This is required.", field=f"$.{missing}")


def _session_token(sent: dict[str, Any]) -> str:
    """Take the token; of a list, the newest, which is the last."""
    value = sent.pop("session_token", None)
    if isinstance(value, list):
        value = value[-1] if value else None
    return "" if value is None else as_text(value, "$.session_token")


def _read_moment(value: object) -> datetime | None:
    return read_time(value) if isinstance(value, str | int | float) else None


def _fields(sent: dict[str, Any], masker: Masker) -> Raw:
    if not sent:
        return NO_JSON
    document = write_json(sent)
    check_depth(document, "$")
    return Raw(masker.traits(document))
