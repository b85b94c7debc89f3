"""Ask analytics about people, as the query API does.

In: an app, the kind of the question, its fields, the shape that a page needs. Out: the report in
that shape.
"""

from typing import TypeVar

import msgspec

from headwater.analytics import QueryScope, answer
from headwater.web.services import Services
from headwater.workspace import App

T = TypeVar("T")


async def ask(
    services: Services, app: App, kind: str, spec: dict[str, object], shape: type[T]
) -> T:
    """Return the answer; what is empty is not asked for."""
    body = msgspec.json.encode({name: value for name, value in spec.items() if value})
    scope = QueryScope(app.id, app.timezone)
    found = await answer(services.store, scope, kind, body, services.clock)
    return msgspec.json.decode(msgspec.json.encode(found), type=shape)
