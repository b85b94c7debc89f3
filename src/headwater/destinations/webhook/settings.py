"""The settings of a webhook, and what is made for them.

In: checked settings. Out: complete ones, with a signing secret made when none was given.
"""

from headwater.base.signing import new_signing_secret, signing_key
from headwater.destinations.contract import Setting, Values

SETTINGS = (
    Setting(
        name="url",
        title="URL",
        help="Where messages are posted to, http or https.",
        kind="url",
        is_required=True,
    ),
    Setting(
        name="secret",
        title="Signing secret",
        help="Signs each request; made and shown once when left empty.",
        is_secret=True,
    ),
    Setting(
        name="batch_size",
        title="Messages in one request",
        help="1 posts each message as an object; more posts arrays of up to so many.",
        kind="integer",
        default="1",
        least=1,
        most=4_000,
    ),
)


def complete(values: Values) -> dict[str, str]:
    """Return complete settings, or raise an error that names the field."""
    found = {**values, "secret": values["secret"] or new_signing_secret()}
    signing_key(found["secret"])
    return found
