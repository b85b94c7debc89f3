"""Choose the app that a page is about.

In: `?app=`, perhaps empty. Out: all apps, for the choice on the page, and the chosen one. An app
that is not there is not found; without a choice the oldest is meant.
"""

from headwater.base.errors import NotFoundError
from headwater.web.services import Services
from headwater.workspace import App, get_app, list_apps


async def choose_app(services: Services, app_id: str) -> tuple[list[App], App]:
    """Return all apps, and the one that a page shows."""
    apps = await services.configdb.run(list_apps)
    if not apps:
        raise NotFoundError("There is no app yet.", hint="`headwater apps create NAME` adds one.")
    return apps, await services.configdb.run(get_app, app_id) if app_id else apps[0]
