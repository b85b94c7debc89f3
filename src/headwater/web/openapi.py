"""Describe the management API: OpenAPI 3.1 at `/api/openapi.json`.

Out: the description that Litestar reads off the handlers, with our own error body in place of the
framework's.
"""

from typing import Any

from litestar import Request
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

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
        return self.render_json(request, put_errors(openapi_schema))


def put_errors(schema: dict[str, Any]) -> dict[str, Any]:
    """Let every operation name our error body."""
    schema.setdefault("components", {}).setdefault("schemas", {})["Error"] = _ERROR_SCHEMA
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    for path in schema["paths"].values():
        for operation in path.values():
            responses = operation["responses"]
            responses.pop("400", None)
            responses["4XX"] = {"description": "The request cannot be met", "content": content}
            responses["5XX"] = {"description": "Our side cannot serve it now", "content": content}
    return schema


OPENAPI = OpenAPIConfig(
    title="Headwater management and query API",
    version=API_VERSION,
    description="Configuration and questions, as JSON. Times are ISO 8601 in UTC.",
    path="/api",
    use_handler_docstrings=True,
    security=[{"token": []}],
    components=Components(security_schemes={"token": SecurityScheme(type="http", scheme="bearer")}),
    render_plugins=[OpenApiJson(path="/openapi.json")],
)
