"""The pages of sources: the list, the catalogue, one with its keys, what it receives and lets in.

In: a source, a type of the catalogue, forms. Out: pages and redirects.
"""

from headwater.web.sources.listing import AddingSourceController, SourceListController
from headwater.web.sources.schema import SourceSchemaController
from headwater.web.sources.source import SourceController

SOURCE_PAGES = (
    SourceListController,
    AddingSourceController,
    SourceController,
    SourceSchemaController,
)

__all__ = ["SOURCE_PAGES"]
