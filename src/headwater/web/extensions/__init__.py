"""The pages of extensions: the gallery, connecting, and what a connection does.

In: an app, a type of the gallery, forms. Out: pages and redirects. They know no extension by name:
fields, titles and texts come from what each declares.
"""

from headwater.web.extensions.connected import ConnectedController
from headwater.web.extensions.connecting import ConnectingController
from headwater.web.extensions.gallery import GalleryController
from headwater.web.extensions.messages import MessagesController

EXTENSION_PAGES = (
    GalleryController,
    ConnectingController,
    ConnectedController,
    MessagesController,
)

__all__ = ["EXTENSION_PAGES"]
