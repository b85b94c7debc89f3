"""The settings of HubSpot: the token of a private app, and how the portal names companies.

In: checked settings. Out: where requests go.
"""

from headwater.base.errors import InvalidInputError
from headwater.destinations.contract import Setting, Values

_HOST = "https://api.hubapi.com"

SETTINGS = (
    Setting(
        name="token",
        title="Access token",
        help="Of a private app that may write contacts, companies and behavioral events.",
        is_secret=True,
        is_required=True,
    ),
    Setting(
        name="company_id_property",
        title="Property of company ids",
        help="A property of companies with unique values; needed for group messages.",
    ),
    Setting(
        name="url",
        title="Base URL",
        help="A proxy of yours instead; empty for HubSpot itself.",
        kind="url",
    ),
)


def complete(values: Values) -> dict[str, str]:
    """Return complete settings, or raise an error that names the field."""
    if not values["token"].isascii() or " " in values["token"]:
        raise InvalidInputError("This holds characters that no token has.", field="token")
    return {**values, "url": values["url"].rstrip("/")}


def url_of(values: Values, path: str) -> str:
    """Return the URL of a path."""
    return f"{values['url'] or _HOST}{path}"


def headers(values: Values) -> dict[str, str]:
    """Return the headers of every request."""
    return {"content-type": "application/json", "authorization": f"Bearer {values['token']}"}
