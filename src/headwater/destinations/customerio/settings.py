"""The settings of Customer.io: the workspace's credentials, and where it is.

In: checked settings. Out: where requests go, and how they are signed.
"""

import base64

from headwater.base.errors import InvalidInputError
from headwater.destinations.contract import Choice, Setting, Values

_HOSTS = {"us": "https://track.customer.io", "eu": "https://track-eu.customer.io"}

SETTINGS = (
    Setting(
        name="site_id",
        title="Site id",
        help="Of the workspace: its Track API credentials.",
        is_secret=True,
        is_required=True,
    ),
    Setting(
        name="api_key",
        title="API key",
        help="Beside the site id.",
        is_secret=True,
        is_required=True,
    ),
    Setting(
        name="region",
        title="Region",
        help="Of the account. Data of an account in the EU that is sent to the US touches the US.",
        kind="choice",
        default="us",
        choices=(Choice("us", "United States"), Choice("eu", "European Union")),
    ),
    Setting(
        name="object_type_id",
        title="Object type of groups",
        help="The number that companies have as objects in the workspace.",
        default="1",
    ),
    Setting(
        name="url",
        title="Base URL",
        help="Instead of the region's, such as a proxy of yours; empty for Customer.io itself.",
        kind="url",
    ),
)


def complete(values: Values) -> dict[str, str]:
    """Return complete settings, or raise an error that names the field."""
    for name in ("site_id", "api_key"):
        if not values[name].isascii() or " " in values[name]:
            raise InvalidInputError("This holds characters that no key has.", field=name)
    if not values["object_type_id"].isdecimal():
        raise InvalidInputError("This is a number, such as 1.", field="object_type_id")
    return {**values, "url": values["url"].rstrip("/")}


def batch_url(values: Values) -> str:
    """Return where batches go."""
    return f"{values['url'] or _HOSTS[values['region']]}/api/v2/batch"


def headers(values: Values) -> dict[str, str]:
    """Return the headers of every request."""
    basic = base64.b64encode(f"{values['site_id']}:{values['api_key']}".encode()).decode()
    return {"content-type": "application/json", "authorization": f"Basic {basic}"}
