"""Describe the whole HTTP API: OpenAPI 3.1 at `/api/openapi.json`.

In: what Litestar reads off the handlers, and what the raw doors say of themselves. Out: one
document, with our own error body in place of the framework's.
"""

from collections.abc import Sequence
from typing import Any

from litestar import Litestar, Request
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from headwater.base.openapi import ERROR, DoorText, answers, content, refer

API_VERSION = "1"

_ERROR_SCHEMA = {
    "type": "object",
    "required": ["code", "message", "field", "hint"],
    "properties": {
        "code": {"type": "string", "description": "Stable; for programs."},
        "message": {"type": "string", "description": "For people."},
        "field": {"type": "string", "description": "What is wrong, when it is one field."},
        "hint": {"type": "string", "description": "What to do next."},
    },
}


class OpenApiJson(JsonRenderPlugin):
    """The description as JSON."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        return self.render_json(request, complete(openapi_schema, doors_of(request.app)))


def doors_of(app: Litestar) -> Sequence[DoorText]:
    """Return what the doors beside the web say of themselves."""
    doors: Sequence[DoorText] = app.state["doors"]
    return doors


def complete(schema: dict[str, Any], doors: Sequence[DoorText]) -> dict[str, Any]:
    """Let every operation of the web name our error body, and add the doors."""
    components = schema.setdefault("components", {})
    components.setdefault("schemas", {})[ERROR] = _ERROR_SCHEMA
    for path in schema["paths"].values():
        for operation in path.values():
            operation["responses"].pop("400", None)
            operation["responses"] |= answers({}, content(refer(ERROR)))
    for door in doors:
        schema["paths"] |= door.paths
        components["schemas"] |= door.schemas
        components["securitySchemes"] |= door.security
    schema["tags"] = [{"name": door.tag, "description": door.text} for door in doors]
    return schema


OPENAPI = OpenAPIConfig(
    title="Headwater",
    version=API_VERSION,
    description="Data in, configuration and questions. Times are ISO 8601 in UTC.",
    path="/api",
    use_handler_docstrings=True,
    security=[{"token": []}],
    components=Components(security_schemes={"token": SecurityScheme(type="http", scheme="bearer")}),
    render_plugins=[OpenApiJson(path="/openapi.json")],
)
