"""Put the web together: routes, errors, headers, templates, the API's description.

In: `Services`. Out: one Litestar application. The only place in this room that knows all of it.
"""

from collections.abc import Sequence

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from headwater.base.openapi import DoorText
from headwater.web.api import ROUTES
from headwater.web.assets import Assets, send_asset
from headwater.web.destinations import DESTINATION_PAGES
from headwater.web.docs import show_docs
from headwater.web.errors import HANDLERS
from headwater.web.extensions import EXTENSION_PAGES
from headwater.web.headers import security_headers
from headwater.web.health import HealthBook, show_health, show_metrics
from headwater.web.login import LoginController
from headwater.web.openapi import OPENAPI
from headwater.web.overview import OverviewController
from headwater.web.people import PEOPLE_PAGES
from headwater.web.privacy import PRIVACY_PAGES
from headwater.web.rejects import RejectsController
from headwater.web.rendering import create_templates
from headwater.web.services import Services
from headwater.web.setup import SetupController
from headwater.web.sources import SOURCE_PAGES
from headwater.web.throttle import Throttle
from headwater.web.warehouses import WAREHOUSE_PAGES

PAGES: list[ControllerRouterHandler] = [
    OverviewController,
    RejectsController,
    *PEOPLE_PAGES,
    *EXTENSION_PAGES,
    *DESTINATION_PAGES,
    *SOURCE_PAGES,
    *WAREHOUSE_PAGES,
    *PRIVACY_PAGES,
    LoginController,
    SetupController,
    show_docs,
]


def create_web(services: Services, doors: Sequence[DoorText] = ()) -> Litestar:
    """Build the application; it opens nothing and starts nothing.

    `doors` are described with it, and answered by others.
    """
    health = HealthBook(services)
    https = services.settings.server.public_url.startswith("https://")
    assets = Assets()
    throttle = Throttle(services.clock)
    return Litestar(
        [*ROUTES, *PAGES, send_asset, show_health, show_metrics],
        dependencies={
            "services": Provide(lambda: services, sync_to_thread=False),
            "health": Provide(lambda: health, sync_to_thread=False),
            "throttle": Provide(lambda: throttle, sync_to_thread=False),
            "assets": Provide(lambda: assets, sync_to_thread=False),
        },
        exception_handlers=HANDLERS,
        before_send=[security_headers(https=https)],
        openapi_config=OPENAPI,
        template_config=create_templates(assets),
        state=State({"services": services, "doors": doors}),
        logging_config=None,
    )
