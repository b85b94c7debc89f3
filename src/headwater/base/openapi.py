"""Help a door to describe itself for the API's OpenAPI document.

In: structs that spell what goes over the wire, and words about each operation. Out: a `DoorText`,
which the web adds to its own description. Knows no door.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

REF = "#/components/schemas/"
ALSO_AT = "x-also-at"
"""Other spellings of a path: the same door, for clients that were built so."""
JSON = "application/json"
ERROR = "Error"
"""The house's error body; the web describes it."""

Facts = dict[str, Any]


class DoorText(msgspec.Struct, frozen=True, kw_only=True):
    """What a door says of itself, in the words of OpenAPI."""

    tag: str
    text: str
    paths: Mapping[str, Facts]
    schemas: Mapping[str, Facts] = {}
    security: Mapping[str, Facts] = {}

    def addresses(self) -> set[str]:
        """Return every path that is described, in all its spellings."""
        also = (
            spelling
            for operations in self.paths.values()
            for operation in operations.values()
            for spelling in operation.get(ALSO_AT, ())
        )
        return {*self.paths, *also}


def schemas_of(door: str, *structs: type) -> dict[str, Facts]:
    """Return the schema of each struct and of all that they hold, by the door's and its name.

    So no door's word stands for what another, or the management API, calls so.
    """
    found = msgspec.json.schema_components(structs, ref_template=f"{REF}{door}{{name}}")[1]
    return {door + name: schema for name, schema in found.items()}


def refer(name: str) -> Facts:
    """Return a reference to a schema."""
    return {"$ref": REF + name}


def one_or_more(name: str) -> Facts:
    """Return the schema of an item or a list of such items."""
    return {"oneOf": [refer(name), {"type": "array", "items": refer(name)}]}


def content(schema: Facts, *more: str) -> Facts:
    """Return a JSON body, which other media types may carry in a form of their own."""
    binary = {media: {"schema": {"type": "string", "format": "binary"}} for media in more}
    return {"content": {JSON: {"schema": schema}, **binary}}


def answers(good: Mapping[str, Facts], bad: Facts) -> Facts:
    """Return the answers of an operation: good ones by status, and the form of all errors."""
    return {
        **good,
        "4XX": {"description": "The request cannot be met; nothing of it was kept", **bad},
        "5XX": {"description": "It cannot be kept now: `Retry-After` says when to try", **bad},
    }
