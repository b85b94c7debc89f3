"""The settings of API analytics: which app, and the server that it is on.

In: checked settings. Out: complete ones; which URL they mean.
"""

from urllib.parse import urlsplit

from headwater.base.errors import InvalidInputError
from headwater.destinations.contract import Setting, Values

SETTINGS = (
    Setting(
        name="application_id",
        title="Collector application id",
        help="Of the app whose users and companies the messages describe.",
        is_secret=True,
        is_required=True,
    ),
    Setting(
        name="url",
        title="URL",
        help="The base URL of the app's Collector API; empty for this very server.",
        kind="url",
    ),
)


def complete(values: Values) -> dict[str, str]:
    """Return complete settings, or raise an error that names the field."""
    url = values["url"].rstrip("/")
    if urlsplit(url).query or urlsplit(url).fragment:
        raise InvalidInputError(
            "`url` is the base URL of a Collector API, such as https://headwater.example.com.",
            field="url",
        )
    application_id = values["application_id"].strip()
    if not application_id.isascii() or not application_id.isprintable():
        raise InvalidInputError(
            "This holds characters that no application id has.",
            field="application_id",
            hint="`headwater apps list` shows those here.",
        )
    return {**values, "url": url, "application_id": application_id}
