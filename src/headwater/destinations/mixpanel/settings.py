"""The settings of Mixpanel: the project's token, and where its data are.

In: checked settings. Out: where requests go.
"""

from urllib.parse import quote

from headwater.base.errors import InvalidInputError
from headwater.destinations.contract import Choice, Setting, Values

_INGESTION = {
    "us": "https://api.mixpanel.com",
    "eu": "https://api-eu.mixpanel.com",
    "in": "https://api-in.mixpanel.com",
}
_PRIVACY = {
    "us": "https://mixpanel.com",
    "eu": "https://eu.mixpanel.com",
    "in": "https://in.mixpanel.com",
}

SETTINGS = (
    Setting(
        name="token",
        title="Project token",
        help="Of the project, from its settings at Mixpanel.",
        is_secret=True,
        is_required=True,
    ),
    Setting(
        name="oauth_token",
        title="OAuth token",
        help="Of a person's data and privacy settings. Needed to delete users only.",
        is_secret=True,
    ),
    Setting(
        name="region",
        title="Region",
        help="Where the project's data are.",
        kind="choice",
        default="us",
        choices=(
            Choice("us", "United States"),
            Choice("eu", "European Union"),
            Choice("in", "India"),
        ),
    ),
    Setting(
        name="group_key",
        title="Group key",
        help="The property that names a company, as the project's settings have it.",
        default="company_id",
    ),
    Setting(
        name="url",
        title="Base URL",
        help="Instead of the region's, such as a proxy of yours; empty for Mixpanel itself.",
        kind="url",
    ),
)


def complete(values: Values) -> dict[str, str]:
    """Return complete settings, or raise an error that names the field."""
    for name in ("token", "oauth_token"):
        if not values[name].isascii() or " " in values[name]:
            raise InvalidInputError("This holds characters that no token has.", field=name)
    if not values["group_key"].strip():
        raise InvalidInputError("Name the property that names a company.", field="group_key")
    return {**values, "url": values["url"].rstrip("/")}


def ingestion_url(values: Values, path: str) -> str:
    """Return where events and profiles go."""
    return f"{values['url'] or _INGESTION[values['region']]}{path}"


def deletions_url(values: Values) -> str:
    """Return where users are deleted; Mixpanel wants the token in it."""
    base = values["url"] or _PRIVACY[values["region"]]
    return f"{base}/api/app/data-deletions/v3.0/?token={quote(values['token'], safe='')}"
