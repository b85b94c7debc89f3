"""The settings of a Tracking API: where it is, and the write key of the source that takes messages.

In: checked settings. Out: complete ones; which URL they mean.
"""

from urllib.parse import urlsplit

from headwater.base.errors import InvalidInputError
from headwater.destinations.contract import Choice, Setting, Values

_URLS = {
    "segment": "https://api.segment.io",
    "segment-eu": "https://events.eu1.segmentapis.com",
}
_ENDINGS = ("/v1/batch", "/v1")

SETTINGS = (
    Setting(
        name="receiver",
        title="Receiver",
        help="Segment, or whatever else speaks its Tracking API.",
        kind="choice",
        default="segment",
        choices=(
            Choice("segment", "Segment"),
            Choice("segment-eu", "Segment, in the European Union"),
            Choice("url", "RudderStack, Jitsu, another Headwater: the URL below"),
        ),
    ),
    Setting(
        name="url",
        title="URL",
        help="The base URL, without /v1: your RudderStack data plane, your Jitsu, a Headwater.",
        kind="url",
    ),
    Setting(
        name="write_key",
        title="Write key",
        help="Of the source there that is to receive the messages.",
        is_secret=True,
        is_required=True,
    ),
)


def complete(values: Values) -> dict[str, str]:
    """Return complete settings, or raise an error that names the field."""
    if values["receiver"] != "url":
        return {**values, "url": ""}
    url = values["url"].rstrip("/")
    for ending in _ENDINGS:
        url = url.removesuffix(ending)
    if not url or urlsplit(url).query or urlsplit(url).fragment:
        raise InvalidInputError(
            "`url` is the base URL of a Tracking API, such as https://events.example.com.",
            field="url",
        )
    return {**values, "url": url}


def batch_url(values: Values) -> str:
    """Return where batches go."""
    return f"{values['url'] or _URLS[values['receiver']]}/v1/batch"
