"""The settings of a webhook, and their check.

In: what a person typed. Out: complete settings, with a signing secret made when none was given.
"""

from headwater.base.egress import Egress
from headwater.base.errors import InvalidInputError
from headwater.base.signing import new_signing_secret, signing_key
from headwater.destinations.contract import Setting, Values, check_names

MOST_PER_REQUEST = 4_000

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
    ),
)


def check(values: Values, egress: Egress) -> dict[str, str]:
    """Return complete settings, or raise an error that names the field."""
    complete = check_names(SETTINGS, values)
    egress.check_url(complete["url"])
    complete["secret"] = complete["secret"] or new_signing_secret()
    signing_key(complete["secret"])
    number = complete["batch_size"]
    if not (number.isascii() and number.isdigit() and 1 <= int(number) <= MOST_PER_REQUEST):
        raise InvalidInputError(
            f"`batch_size` is a number from 1 to {MOST_PER_REQUEST}.", field="batch_size"
        )
    return complete
