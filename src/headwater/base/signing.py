"""Sign the body of a webhook, so that its receiver knows who sent it and when.

In: a secret, an id, a time and the whole body. Out: headers of Standard Webhooks, and our own in
the form `t=…,v1=…` for receivers that check with three lines of code. Pure; knows no product words.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from datetime import UTC, datetime

import standardwebhooks

from headwater.base.errors import InvalidInputError

SECRET_PREFIX = "whsec_"  # noqa: S105 - the form of a secret, not one
_SECRET_BYTES = 32
_LEAST_SECRET = 8


def new_signing_secret() -> str:
    """Return a random secret in the form of Standard Webhooks."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


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


def sign(
    secret: str, request_id: str, sent_at: datetime, body: bytes, *, also: str = ""
) -> dict[str, str]:
    """Return the headers; `request_id` stays the same when the request is tried again.

    `also` is a second secret that signs beside the first, while receivers change over.
    """
    seconds = int(sent_at.timestamp())
    keys = [secret, also] if also else [secret]
    # The library drops the zone of what it is given.
    at = sent_at.astimezone(UTC)
    standard = [
        standardwebhooks.Webhook(signing_key(key)).sign(request_id, at, body.decode())
        for key in keys
    ]
    signed = f"{seconds}.".encode() + body
    own = [hmac.new(key.encode(), signed, hashlib.sha256).hexdigest() for key in keys]
    return {
        "webhook-id": request_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(standard),
        "x-headwater-signature": ",".join([f"t={seconds}", *(f"v1={one}" for one in own)]),
    }
