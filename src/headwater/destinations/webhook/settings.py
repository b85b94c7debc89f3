"""The settings of a webhook, and their check.

In: what a person typed. Out: complete settings, with a signing secret made when none was given.
"""

import base64
import binascii
import secrets

from headwater.base.egress import Egress
from headwater.base.errors import InvalidInputError
from headwater.destinations.contract import Setting, Values, check_names

SECRET_PREFIX = "whsec_"  # noqa: S105 - the form of a secret, not one
MOST_PER_REQUEST = 4_000
_SECRET_BYTES = 32
_LEAST_SECRET = 8

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
    complete["secret"] = complete["secret"] or _new_secret()
    signing_key(complete["secret"])
    number = complete["batch_size"]
    if not (number.isascii() and number.isdigit() and 1 <= int(number) <= MOST_PER_REQUEST):
        raise InvalidInputError(
            f"`batch_size` is a number from 1 to {MOST_PER_REQUEST}.", field="batch_size"
        )
    return complete


def signing_key(secret: str) -> bytes:
    """Return the key of Standard Webhooks: base64 after `whsec_`, else the text itself."""
    if len(secret) < _LEAST_SECRET or not secret.isascii():
        raise InvalidInputError(
            f"A secret has at least {_LEAST_SECRET} ASCII characters.", field="secret"
        )
    if not secret.startswith(SECRET_PREFIX):
        return secret.encode()
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX) + "==", validate=False)
    except binascii.Error as err:
        raise InvalidInputError(
            f"After {SECRET_PREFIX} a secret continues in base64.", field="secret"
        ) from err
    if not key:
        raise InvalidInputError("The secret is empty.", field="secret")
    return key


def _new_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
