"""List the kinds of source that can be added.

Out: constant facts for people who choose. All kinds are received in the same way; the kind says
where the messages come from and, for API analytics, which form of payload its instances keep.
"""

import msgspec

from headwater.base.errors import InvalidInputError

CURRENT = "current"


class SourceType(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the catalogue."""

    type: str
    title: str
    category: str
    description: str
    payload_versions: tuple[str, ...] = (CURRENT,)
    """The first is the default. A source never changes its version: its tables depend on it."""


CATALOG: tuple[SourceType, ...] = (
    SourceType(
        type="api-analytics",
        title="API Analytics",
        category="Event cloud",
        description="Who uses an API and how, as identify calls of the Segment extension. In "
        "`current` payloads `company` is an object and `dailyAggregation` comes along; in `2019` "
        "payloads `company` is a string.",
        payload_versions=(CURRENT, "2019"),
    ),
    SourceType(
        type="http-api",
        title="HTTP API",
        category="Server",
        description="Plain HTTP requests from any program.",
    ),
    SourceType(
        type="python",
        title="Python",
        category="Server",
        description="The segment-analytics-python library, with `host` set to this server.",
    ),
    SourceType(
        type="nodejs",
        title="Node.js",
        category="Server",
        description="The @segment/analytics-node library, with `host` set to this server.",
    ),
    SourceType(
        type="go",
        title="Go",
        category="Server",
        description="The analytics-go library, with `Endpoint` set to this server.",
    ),
    SourceType(
        type="ruby",
        title="Ruby",
        category="Server",
        description="The analytics-ruby library, with `host` set to this server.",
    ),
    SourceType(
        type="website",
        title="Website",
        category="Website",
        description="The @segment/analytics-next library, with `apiHost` set to this server.",
    ),
)


def find_type(name: str) -> SourceType:
    """Return the catalogue's entry, or raise `InvalidInputError` with the known names."""
    for entry in CATALOG:
        if entry.type == name:
            return entry
    known = ", ".join(entry.type for entry in CATALOG)
    raise InvalidInputError(
        f"There is no source type {name!r}.", field="type", hint=f"Types are {known}."
    )
