"""The pages of sources: the list, the catalogue, one with its keys, and what it receives.

In: a source, a type of the catalogue, forms. Out: pages and redirects.
"""

from headwater.web.sources.listing import AddingSourceController, SourceListController
from headwater.web.sources.source import SourceController

SOURCE_PAGES = (SourceListController, AddingSourceController, SourceController)

__all__ = ["SOURCE_PAGES"]
