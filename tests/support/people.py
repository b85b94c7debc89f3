"""Make people as the profiles' room gives them: with what their documents say in their fields.

In: a document and the fields that calls fill. Out: a `Person`.
"""

from typing import Any

from headwater.profiles import Person, person_traits


def person_of(doc: dict[str, Any], **fields: Any) -> Person:
    """Return somebody of whom a profile says `doc`."""
    return Person(doc=doc, **{**person_traits(doc), **fields})
