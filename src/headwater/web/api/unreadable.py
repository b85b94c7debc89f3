"""List by HTTP the records of the log that nobody could read.

Out: JSON, for administrators only: such a record may be anybody's.
"""

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from headwater.base.errors import InvalidInputError
from headwater.ingest import Unreadable, list_unreadable
from headwater.web.api.paging import MOST_ITEMS
from headwater.web.auth import needs
from headwater.web.services import Services


class UnreadableController(Controller):
    """`/api/v1/unreadable-records`."""

    path = "/api/v1/unreadable-records"
    tags = ("Operations",)

    @get(guards=[needs("admin")])
    async def show(
        self, services: NamedDependency[Services], limit: FromQuery[int] = 100
    ) -> Unreadable:
        """Count the log's records that could not be read, and list the newest.

        They belong to no app. What an app's clients sent and could not be understood is among that
        app's rejects.
        """
        if not 1 <= limit <= MOST_ITEMS:
            raise InvalidInputError(f"A limit is 1 to {MOST_ITEMS}.", field="limit")
        return await list_unreadable(services.store, limit)
