"""Describe the Tracking API for the OpenAPI document.

Out: a `DoorText`, and the structs that spell messages for readers. Nothing is read with these: ids
may be numbers, and what is not known is kept. Tests hold it against what the door answers.
"""

from typing import Any, Literal

import msgspec

from headwater.base.openapi import ALSO_AT, DoorText, Facts, answers, content, refer, schemas_of
from headwater.tracking.paths import KEY_CHECK, METRICS

Id = str | float
Document = dict[str, Any]
Kind = Literal["identify", "track", "page", "screen", "group", "alias"]


class _Message(msgspec.Struct, kw_only=True, rename="camel"):
    user_id: Id | None = None
    anonymous_id: Id | None = None
    message_id: Id | None = None
    timestamp: Any = None
    sent_at: Any = None
    context: Document | None = None
    integrations: Document | None = None
    write_key: str | None = None
    """Instead of the header; never kept."""


class Identify(_Message, kw_only=True):
    """Who somebody is."""

    traits: Document | None = None


class Track(_Message, kw_only=True):
    """What somebody did."""

    event: str
    properties: Document | None = None


class Page(_Message, kw_only=True):
    """A page that was seen."""

    name: str | None = None
    category: str | None = None
    properties: Document | None = None


class Screen(Page, kw_only=True):
    """A screen that was seen."""


class Group(_Message, kw_only=True):
    """Which group somebody belongs to."""

    group_id: Id
    traits: Document | None = None


class Alias(_Message, kw_only=True):
    """Another id of the same person."""

    user_id: Id
    previous_id: Id


class BatchItem(_Message, kw_only=True):
    """A message of any type; each type needs what its own path needs."""

    type: Kind
    event: str | None = None
    name: str | None = None
    category: str | None = None
    group_id: Id | None = None
    previous_id: Id | None = None
    traits: Document | None = None
    properties: Document | None = None


class Batch(msgspec.Struct, kw_only=True, rename="camel"):
    """Messages, and what all of them share."""

    batch: list[BatchItem]
    sent_at: Any = None
    context: Document | None = None
    integrations: Document | None = None
    write_key: str | None = None


class RefusedItem(msgspec.Struct, kw_only=True):
    """An item of a batch that was not kept, by its place."""

    index: int
    code: str
    message: str


class Accepted(msgspec.Struct, kw_only=True):
    """What is not named here is kept."""

    success: Literal[True]
    rejected: list[RefusedItem] | None = None


class KeyIsGood(msgspec.Struct, kw_only=True):
    """The write key may write."""

    success: Literal[True]
    source: str
    """The slug of its source."""


class Refused(msgspec.Struct, kw_only=True):
    """Nothing was kept."""

    success: Literal[False]
    code: str
    message: str
    rejected: list[RefusedItem] | None = None


_TAG = "Tracking API"
_DOOR = "Tracking"
_KEY = "write_key"
_SINGLE = {
    "identify": (Identify, "i", "Take who somebody is."),
    "track": (Track, "t", "Take what somebody did."),
    "page": (Page, "p", "Take a page that was seen."),
    "screen": (Screen, "s", "Take a screen that was seen."),
    "group": (Group, "g", "Take which group somebody belongs to."),
    "alias": (Alias, "a", "Take another id of the same person."),
}


def describe_tracking() -> DoorText:
    """Return what clients of the customer data platform send."""
    paths = {
        f"/v1/{name}": {"post": _post(struct.__name__, [f"/v1/{short}"], text)}
        for name, (struct, short, text) in _SINGLE.items()
    }
    batch = "Take messages of any types. Those that cannot be used are named in the answer."
    paths["/v1/batch"] = {"post": _post("Batch", ["/v1/b"], batch)}
    paths["/v1/import"] = {"post": _post("Batch", [], f"{batch} The same as `/v1/batch`.")}
    paths |= _of_browsers() | {f"/v1/{KEY_CHECK}": {"get": _key_check()}}
    return DoorText(
        tag=_TAG,
        text=(
            "The key is a source's write key: the user name of Basic authorization without a "
            "password, or writeKey in the body. Bodies are JSON, plain or with "
            "Content-Encoding gzip or deflate. A body with batch is a batch on every path. Paths "
            "are also known without /v1."
        ),
        paths=paths,
        schemas=schemas_of(
            _DOOR, *(one[0] for one in _SINGLE.values()), Batch, Accepted, KeyIsGood, Refused
        ),
        security={_KEY: {"type": "http", "scheme": "basic"}},
    )


def _of_browsers() -> dict[str, Facts]:
    """Return what pages and e-mails load."""
    data = {"name": "data", "in": "query", "schema": {"type": "string"}}
    key = {"name": "key", "in": "path", "required": True, "schema": {"type": "string"}}
    kind = {"name": "type", "in": "path", "required": True, "schema": _schema_of_kinds()}
    pixel = (
        "Take a message from the address of an image: data is JSON in base64; or fields with dots, "
        "such as properties.subject. The image comes whatever happens."
    )
    settings = "Tell the browser library its settings. Unknown and disabled keys are 404."
    metrics = "Take the browser library's reports about itself, and forget them."
    gif = {"image/gif": {"schema": {"type": "string", "format": "binary"}}}
    any_object = content({"type": "object"})
    return {
        "/v1/pixel/{type}": {"get": _open(pixel, [kind, data], {"content": gif})},
        "/v1/projects/{key}/settings": {
            "get": _open(settings, [key], any_object, {"404": {"description": "No such key"}})
        },
        f"/v1/{METRICS}": {"post": _open(metrics, [], any_object)},
    }


def _schema_of_kinds() -> Facts:
    """Return the types of message."""
    return {"type": "string", "enum": [*_SINGLE]}


def _open(
    text: str, parameters: list[Facts], answer: Facts, refusals: Facts | None = None
) -> Facts:
    return {
        "tags": [_TAG],
        "description": text,
        "parameters": parameters,
        "security": [{}],
        "responses": {"200": {"description": "OK", **answer}, **(refusals or {})},
    }


def _key_check() -> Facts:
    return {
        "tags": [_TAG],
        "description": "Say whether the write key of the header may write, and to which source. "
        "Honest in every mode; stores nothing.",
        "security": [{_KEY: []}],
        "responses": answers(
            {"200": {"description": "It may", **content(refer(f"{_DOOR}KeyIsGood"))}},
            content(refer(f"{_DOOR}Refused")),
        ),
    }


def _post(schema: str, also_at: list[str], text: str) -> Facts:
    return {
        "tags": [_TAG],
        "description": f"{text} 200 means that it is on disk.",
        ALSO_AT: also_at,
        "security": [{_KEY: []}, {}],
        "requestBody": {"required": True, **content(refer(_DOOR + schema))},
        "responses": answers(
            {"200": {"description": "Durable", **content(refer(f"{_DOOR}Accepted"))}},
            content(refer(f"{_DOOR}Refused")),
        ),
    }
