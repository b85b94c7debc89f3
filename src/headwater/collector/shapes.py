"""Spell what clients of the Collector API send, as far as it is known, for readers.

Out: structs for the OpenAPI document. An event's is made of the struct that reads it. Nothing is
read with these: the doors take more than they ask for, numbers for ids, null for absent, and keep
what they do not know.
"""

from typing import Any, TypeGuard, get_args

import msgspec
from msgspec import Raw

from headwater.collector.wire import EventIn
from headwater.workspace import SamplingPolicy

Time = str | float
Document = dict[str, Any]


def without_raw(struct: type[msgspec.Struct], name: str) -> type[msgspec.Struct]:
    """Return a struct of the same fields where unread JSON may be anything."""
    fields = [
        (field.name, _readable(field.type, name))
        if field.required
        else (field.name, _readable(field.type, name), None)
        for field in msgspec.structs.fields(struct)
    ]
    return msgspec.defstruct(name, fields, kw_only=True, namespace={"__doc__": struct.__doc__})


def _readable(type_: Any, owner: str) -> Any:
    if type_ is Raw:
        return Any
    choices = get_args(type_) or (type_,)
    inner = next((c for c in choices if _is_struct(c)), None)
    if inner is None:
        return type_
    twin = without_raw(inner, owner + inner.__name__.removesuffix("In"))
    return twin | None if type(None) in choices else twin


def _is_struct(type_: Any) -> TypeGuard[type[msgspec.Struct]]:
    return isinstance(type_, type) and issubclass(type_, msgspec.Struct)


Event = without_raw(EventIn, "Event")


class ActionRequest(msgspec.Struct, kw_only=True):
    """Where an action was done."""

    uri: str
    time: Time | None = None
    ip_address: str | None = None
    user_agent_string: str | None = None


class Action(msgspec.Struct, kw_only=True):
    """What somebody did beside calling the API."""

    action_name: str
    request: ActionRequest
    user_id: str | None = None
    company_id: str | None = None
    anonymous_id: str | None = None
    session_token: str | None = None
    transaction_id: str | None = None
    metadata: Document | None = None


class User(msgspec.Struct, kw_only=True):
    """Somebody who calls; `user_id` or `anonymous_id` is needed."""

    user_id: str | None = None
    anonymous_id: str | None = None
    company_id: str | None = None
    session_token: str | list[str] | None = None
    modified_time: Time | None = None
    ip_address: str | None = None
    user_agent_string: str | None = None
    campaign: Document | None = None
    metadata: Document | None = None


class Company(msgspec.Struct, kw_only=True):
    """An account."""

    company_id: str
    company_domain: str | None = None
    session_token: str | list[str] | None = None
    modified_time: Time | None = None
    ip_address: str | None = None
    campaign: Document | None = None
    metadata: Document | None = None


class Subscription(msgspec.Struct, kw_only=True):
    """What a company has subscribed to."""

    subscription_id: str
    company_id: str
    status: str | None = None
    current_period_start: str | None = None
    current_period_end: str | None = None
    items: list[Document] | None = None
    modified_time: Time | None = None
    metadata: Document | None = None


class Config(SamplingPolicy, frozen=True, kw_only=True):
    """What client libraries fetch: the sampling policy, and what they look for beside it."""

    org_id: str
    app_id: str
    block_bot_traffic: bool
    user_rules: Document
    company_rules: Document
    ip_addresses_blocked_by_name: Document
    billing_config_jsons: Document


class Probe(msgspec.Struct, kw_only=True):
    """A sign of life."""

    status: bool
    region: str


class InLog(msgspec.Struct, kw_only=True):
    """Which entry of the log holds what was sent."""

    offset: int
