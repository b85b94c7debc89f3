"""List what can be plugged in.

In: nothing. Out: every extension's declaration. A new extension is a folder with a declaration, and
one more name here.
"""

from headwater.base.errors import NotFoundError
from headwater.extensions.contract import ExtensionType
from headwater.extensions.segment.settings import SEGMENT

GALLERY: tuple[ExtensionType, ...] = (SEGMENT,)


def find_extension(type_name: str) -> ExtensionType:
    """Return one entry, or raise `NotFoundError` naming those there are."""
    for entry in GALLERY:
        if entry.type == type_name:
            return entry
    known = ", ".join(entry.type for entry in GALLERY)
    raise NotFoundError(f"There is no extension {type_name!r}.", hint=f"Known: {known}.")
