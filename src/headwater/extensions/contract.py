"""Say what an extension declares about itself, so that pages and commands can offer it.

In: nothing. Out: the shape of a gallery entry. Each extension is one folder that declares one.
"""

import msgspec


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to fill in when connecting."""

    name: str
    title: str
    description: str
    required: bool = False
    secret: bool = False
    """Stored encrypted, shown masked."""
    default: str = ""
    choices: tuple[str, ...] = ()


class ExtensionType(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the gallery."""

    type: str
    title: str
    description: str
    settings: tuple[Setting, ...]
