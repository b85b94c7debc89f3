"""The settings of Amplitude: the project's keys, and where its data are.

In: checked settings. Out: which URLs they mean.
"""

from headwater.base.errors import InvalidInputError
from headwater.destinations.contract import Choice, Setting, Values

_EVENTS = {
    "us": "https://api2.amplitude.com",
    "eu": "https://api.eu.amplitude.com",
}
_PRIVACY = {
    "us": "https://amplitude.com",
    "eu": "https://analytics.eu.amplitude.com",
}

SETTINGS = (
    Setting(
        name="api_key",
        title="API key",
        help="Of the project, from its settings at Amplitude.",
        is_secret=True,
        is_required=True,
    ),
    Setting(
        name="secret_key",
        title="Secret key",
        help="Needed to delete users; events are sent without it.",
        is_secret=True,
    ),
    Setting(
        name="region",
        title="Region",
        help="Where the project's data are.",
        kind="choice",
        default="us",
        choices=(Choice("us", "United States"), Choice("eu", "European Union")),
    ),
    Setting(
        name="url",
        title="Base URL",
        help="Instead of the region's, such as a proxy of yours; empty for Amplitude itself.",
        kind="url",
    ),
)


def complete(values: Values) -> dict[str, str]:
    """Return complete settings, or raise an error that names the field."""
    for name in ("api_key", "secret_key"):
        if not values[name].isascii() or " " in values[name]:
            raise InvalidInputError("This holds characters that no key has.", field=name)
    return {**values, "url": values["url"].rstrip("/")}


def events_url(values: Values) -> str:
    """Return where events go."""
    return f"{values['url'] or _EVENTS[values['region']]}/2/httpapi"


def deletions_url(values: Values) -> str:
    """Return where users are deleted."""
    return f"{values['url'] or _PRIVACY[values['region']]}/api/2/deletions/users"
