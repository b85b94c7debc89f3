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
    setup: str
    """How a client is pointed here; `{url}` and `{write_key}` are to be filled in."""

    def fill_in(self, url: str, write_key: str) -> str:
        """Return the setup for one source."""
        return self.setup.replace("{url}", url.rstrip("/")).replace("{write_key}", write_key)


CATALOG: tuple[SourceType, ...] = (
    SourceType(
        type="api-analytics",
        title="API Analytics",
        category="Event cloud",
        description="Who uses an API and how, as identify calls of the Segment extension. In "
        "`current` payloads `company` is an object and `dailyAggregation` comes along; in `2019` "
        "payloads `company` is a string.",
        payload_versions=(CURRENT, "2019"),
        setup="# or on the page Extensions: the write key is the partner key\n"
        "headwater extensions segment connect --app APP --partner-key {write_key}",
    ),
    SourceType(
        type="http-api",
        title="HTTP API",
        category="Server",
        description="Plain HTTP requests from any program.",
        setup="curl {url}/v1/identify -u {write_key}: \\\n"
        '  -d \'{"userId": "u-1", "traits": {"plan": "pro"}}\'',
    ),
    SourceType(
        type="python",
        title="Python",
        category="Server",
        description="The segment-analytics-python library, with host set to this server.",
        setup="import segment.analytics as analytics\n"
        'analytics.write_key = "{write_key}"\n'
        'analytics.host = "{url}"\n'
        'analytics.identify("u-1", {"plan": "pro"})',
    ),
    SourceType(
        type="nodejs",
        title="Node.js",
        category="Server",
        description="The @segment/analytics-node library, with host set to this server.",
        setup='import { Analytics } from "@segment/analytics-node"\n'
        'const analytics = new Analytics({ writeKey: "{write_key}", host: "{url}" })\n'
        'analytics.identify({ userId: "u-1", traits: { plan: "pro" } })',
    ),
    SourceType(
        type="go",
        title="Go",
        category="Server",
        description="The analytics-go library, with Endpoint set to this server.",
        setup='config := analytics.Config{Endpoint: "{url}"}\n'
        'client, err := analytics.NewWithConfig("{write_key}", config)',
    ),
    SourceType(
        type="ruby",
        title="Ruby",
        category="Server",
        description="The analytics-ruby library, with host set to this server.",
        setup='Analytics = Segment::Analytics.new(write_key: "{write_key}", host: "{url}")',
    ),
    SourceType(
        type="website",
        title="Website",
        category="Website",
        description="The @segment/analytics-next library, with cdnURL set to this server.",
        setup='import { AnalyticsBrowser } from "@segment/analytics-next"\n'
        'const analytics = AnalyticsBrowser.load({ writeKey: "{write_key}", cdnURL: "{url}" })\n'
        "analytics.page()",
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
