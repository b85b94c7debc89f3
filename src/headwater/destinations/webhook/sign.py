"""Sign a webhook's body, so that its receiver knows who sent it and when.

In: a secret, an id, a time and the whole body. Out: headers of Standard Webhooks, and our own in
the form `t=…,v1=…` for receivers that check with three lines of code. Pure.
"""

import hashlib
import hmac
from datetime import datetime

import standardwebhooks

from headwater.destinations.webhook.settings import signing_key


def sign(secret: str, request_id: str, sent_at: datetime, body: bytes) -> dict[str, str]:
    """Return the headers; `request_id` stays the same when the request is tried again."""
    seconds = int(sent_at.timestamp())
    standard = standardwebhooks.Webhook(signing_key(secret))
    own = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return {
        "webhook-id": request_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": standard.sign(request_id, sent_at, body.decode()),
        "x-headwater-signature": f"t={seconds},v1={own}",
    }
