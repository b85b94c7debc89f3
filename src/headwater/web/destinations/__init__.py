"""The pages of destinations: the list, the catalogue, one with its settings, mappings and filters.

In: a destination, a type of the catalogue, forms. Out: pages and redirects. They know no type by
name: fields, titles and texts come from what each declares.
"""

from headwater.web.destinations.adding import AddingController
from headwater.web.destinations.deliveries import DeliveriesController
from headwater.web.destinations.filters import FiltersController
from headwater.web.destinations.listing import ListingController
from headwater.web.destinations.mappings import MappingsController
from headwater.web.destinations.overview import DestinationController
from headwater.web.destinations.tester import TesterController

DESTINATION_PAGES = (
    ListingController,
    AddingController,
    DestinationController,
    MappingsController,
    FiltersController,
    TesterController,
    DeliveriesController,
)

__all__ = ["DESTINATION_PAGES"]
