"""The pages of warehouses: all of them, adding one, and what one does.

In: a type of the catalogue, an id, forms. Out: pages and redirects. They know no engine by name:
fields, titles and texts come from the catalogue.
"""

from headwater.web.warehouses.adding import AddingController
from headwater.web.warehouses.listing import ListingController
from headwater.web.warehouses.one import WarehouseController

WAREHOUSE_PAGES = (ListingController, AddingController, WarehouseController)

__all__ = ["WAREHOUSE_PAGES"]
