"""The settings of Slack: the incoming webhook, whose URL is its key.

In: checked settings. Out: complete ones.
"""

from urllib.parse import urlsplit

from headwater.base.errors import InvalidInputError
from headwater.destinations.contract import Setting, Values

SETTINGS = (
    Setting(
        name="webhook_url",
        title="Webhook URL",
        help="Of an incoming webhook of your Slack app: https://hooks.slack.com/services/…",
        kind="url",
        is_secret=True,
        is_required=True,
    ),
)


def complete(values: Values) -> dict[str, str]:
    """Return complete settings, or raise an error that names the field."""
    if len(urlsplit(values["webhook_url"]).path) <= 1:
        raise InvalidInputError(
            "The URL of a webhook has a path, which is its key.", field="webhook_url"
        )
    return dict(values)
