"""Show what can be connected, each with its state for the app.

In: an app. Out: the gallery, one card for each entry.
"""

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Template

from headwater.extensions import GALLERY, ExtensionType
from headwater.web.auth import needs
from headwater.web.choice import choose_app
from headwater.web.extensions.place import Place, find_status, may
from headwater.web.extensions.telling import Health, tell_health
from headwater.web.pages import AnyRequest, page
from headwater.web.services import Services


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """One extension."""

    entry: ExtensionType
    health: Health
    connected: bool
    url: str
    settings_url: str


class GalleryController(Controller):
    """`/extensions`."""

    path = "/extensions"
    include_in_schema = False
    guards = (needs("read"),)

    @get()
    async def show(
        self, request: AnyRequest, services: NamedDependency[Services], app: FromQuery[str] = ""
    ) -> Template:
        """Show every extension."""
        apps, chosen = await choose_app(services, app)
        cards = []
        for entry in GALLERY:
            status = await find_status(services, chosen, entry.type)
            place = Place(apps=apps, app=chosen, entry=entry, status=status)
            cards.append(_to_card(place))
        return page(
            request,
            "extensions/gallery.html",
            apps=apps,
            app=chosen,
            cards=cards,
            may_connect=may(request, "admin"),
        )


def _to_card(place: Place) -> Card:
    return Card(
        entry=place.entry,
        health=tell_health(place.status, place.app),
        connected=place.status is not None,
        url=place.url(),
        settings_url=place.url("/settings"),
    )
