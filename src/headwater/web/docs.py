"""Make the API's description readable: `/api/docs`, from the same schema that programs read.

In: the OpenAPI schema. Out: one page, grouped by subject, with each body's shape as an outline. No
outside assets, no framework of somebody else's.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from litestar import get
from litestar.response import Template

from headwater.base.openapi import ALSO_AT, JSON, REF
from headwater.web.auth import find_actor
from headwater.web.openapi import complete, doors_of
from headwater.web.pages import AnyRequest, page

Schema = Mapping[str, Any]
_DEEPEST = 6


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that the API can do."""

    method: str
    path: str
    also_at: tuple[str, ...]
    text: str
    parameters: tuple[tuple[str, str, bool], ...]
    """Name, where it stands, whether it is required."""
    body: str
    answer: str


@get("/api/docs", include_in_schema=False)
async def show_docs(request: AnyRequest) -> Template:
    """Show every operation; open to everybody, as the JSON is."""
    request.scope["user"] = await find_actor(request)
    schema = complete(request.app.openapi_schema.to_schema(), doors_of(request.app))
    return page(request, "docs.html", groups=group_operations(schema), texts=_texts(schema))


def group_operations(schema: Schema) -> dict[str, list[Operation]]:
    """Return the operations by subject, in the order of their paths."""
    groups: dict[str, list[Operation]] = {}
    for path, methods in sorted(schema["paths"].items()):
        for method, facts in methods.items():
            subject = (facts.get("tags") or ["Other"])[0]
            groups.setdefault(subject, []).append(_read_operation(schema, path, method, facts))
    return dict(sorted(groups.items()))


def _texts(schema: Schema) -> dict[str, str]:
    """Return what holds for all operations of a subject."""
    return {tag["name"]: tag["description"] for tag in schema.get("tags", [])}


def _read_operation(schema: Schema, path: str, method: str, facts: Schema) -> Operation:
    parameters = tuple(
        (item["name"], item["in"], bool(item.get("required")))
        for item in facts.get("parameters", [])
    )
    answers = [facts["responses"][code] for code in facts["responses"] if code.startswith("2")]
    return Operation(
        method=method.upper(),
        path=path,
        also_at=tuple(facts.get(ALSO_AT, ())),
        text=facts.get("description") or facts.get("summary") or "",
        parameters=parameters,
        body=_outline_content(schema, facts.get("requestBody", {})),
        answer=_outline_content(schema, answers[0] if answers else {}),
    )


def _outline_content(schema: Schema, holder: Schema) -> str:
    content = holder.get("content", {}).get(JSON, {}).get("schema")
    return "" if content is None else outline(schema, content)


def outline(schema: Schema, part: Schema, depth: int = 0) -> str:
    """Write the shape of a JSON value: `{"name": string, "items": [{…}]}` over several lines."""
    if "$ref" in part:
        part = schema["components"]["schemas"][part["$ref"].removeprefix(REF)]
    if depth > _DEEPEST:
        return "…"
    for several in ("oneOf", "anyOf"):
        if several in part:
            return _outline_choices(schema, part[several], depth)
    if part.get("properties"):
        return _outline_object(schema, part, depth)
    if part.get("type") == "array":
        return f"[{outline(schema, part.get('items', {}), depth)}]"
    if "enum" in part:
        return " | ".join(json.dumps(choice) for choice in part["enum"])
    kind = part.get("type", "any")
    return " | ".join(kind) if isinstance(kind, list) else str(part.get("format") or kind)


def _outline_choices(schema: Schema, choices: Sequence[Schema], depth: int) -> str:
    """Write a list of what came before in few words: doors take one item or several."""
    texts = [
        "a list of these" if choice.get("items") in choices else outline(schema, choice, depth)
        for choice in choices
    ]
    return " | ".join(texts)


def _outline_object(schema: Schema, part: Schema, depth: int) -> str:
    required = set(part.get("required", []))
    inner = "  " * (depth + 1)
    lines = [
        f'{inner}"{name}": {outline(schema, value, depth + 1)}'
        if name in required
        else f'{inner}"{name}"?: {outline(schema, _without_null(value), depth + 1)}'
        for name, value in part["properties"].items()
    ]
    return "{\n" + ",\n".join(lines) + "\n" + "  " * depth + "}"


def _without_null(part: Schema) -> Schema:
    """Leave out what says no more than that the field may be absent."""
    if "anyOf" not in part:
        return part
    choices = [choice for choice in part["anyOf"] if choice != {"type": "null"}]
    return choices[0] if len(choices) == 1 else {**part, "anyOf": choices}
