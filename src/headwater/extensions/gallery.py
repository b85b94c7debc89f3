"""List what can be plugged in.

In: nothing. Out: every extension. A new one is a folder, and one more name here.
"""

from typing import Any

from headwater.base.errors import NotFoundError
from headwater.extensions.contract import Extension, ExtensionType
from headwater.extensions.segment import Segment
from headwater.extensions.webhook import Webhook

EXTENSIONS: tuple[Extension[Any], ...] = (Segment(), Webhook())
GALLERY: tuple[ExtensionType, ...] = tuple(extension.declaration for extension in EXTENSIONS)


def find_extension(type_name: str) -> Extension[Any]:
    """Return one extension, or raise `NotFoundError` naming those there are."""
    for extension in EXTENSIONS:
        if extension.declaration.type == type_name:
            return extension
    known = ", ".join(entry.type for entry in GALLERY)
    raise NotFoundError(f"There is no extension {type_name!r}.", hint=f"Known: {known}.")
