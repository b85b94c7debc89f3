"""Find what a page of an extension is about, and name its pages.

In: `?app=` and the type in the path. Out: the app, the entry of the gallery, the connection's
status if there is one.
"""

from dataclasses import dataclass
from urllib.parse import urlencode

from headwater.extensions import ExtensionType, Status, find_extension
from headwater.web.choice import choose_app
from headwater.web.pages import AnyRequest
from headwater.web.services import Services
from headwater.workspace import App


@dataclass(frozen=True, kw_only=True)
class Place:
    """One extension of one app."""

    apps: list[App]
    app: App
    entry: ExtensionType
    status: Status | None
    """None: not connected."""

    def url(self, page: str = "", **more: str) -> str:
        """Return the address of one of its pages."""
        path = f"/extensions/{self.entry.type}{page}"
        return f"{path}?{urlencode({'app': self.app.id, **more})}"


async def find_place(services: Services, app_id: str, type_: str) -> Place:
    """Return the place, or raise `NotFoundError` for an app or type that is not there."""
    entry = find_extension(type_).declaration
    apps, app = await choose_app(services, app_id)
    status = await find_status(services, app, type_)
    return Place(apps=apps, app=app, entry=entry, status=status)


async def find_status(services: Services, app: App, type_: str) -> Status | None:
    """Return how the app's connection does; None without one."""
    known = await services.extensions.connections()
    if not any(one.app_id == app.id and one.type == type_ for one in known):
        return None
    return await services.extensions.status(app, type_)


def may(request: AnyRequest, scope: str) -> bool:
    """Tell whether who looks may do what needs `scope`; the guards rule, this hides buttons."""
    return scope in request.user.scopes
