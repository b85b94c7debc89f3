"""Show what became of one regulation at each place.

In: an id. Out: its page, or only its places while the page asks again.
"""

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Template

from headwater.privacy import KINDS, get_regulation
from headwater.web.auth import needs
from headwater.web.pages import AnyRequest, page
from headwater.web.privacy.telling import tell_line, tell_place
from headwater.web.services import Services


class RegulationController(Controller):
    """`/privacy/{id}`."""

    path = "/privacy/{regulation_id:str}"
    include_in_schema = False
    guards = (needs("read"),)

    @get()
    async def show(
        self, request: AnyRequest, services: NamedDependency[Services], regulation_id: FromPath[str]
    ) -> Template:
        """Show its state and its places."""
        found = await services.configdb.look(get_regulation, regulation_id)
        panel = "hx-request" in request.headers
        return page(
            request,
            "privacy/places.html" if panel else "privacy/one.html",
            line=tell_line(found),
            meaning=KINDS[found.kind],
            places=[tell_place(target) for target in found.targets],
        )
