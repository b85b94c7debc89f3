"""Protect the two forms that stand before a session: log in and set up.

In: a request. Out: a token for the form's hidden field, tied to a cookie of the browser; a posted
form without that pair is refused.
"""

import hmac
import secrets

from litestar.datastructures import Cookie

from headwater.base.errors import NotAllowedError
from headwater.web.auth import check_same_origin, is_https
from headwater.web.pages import AnyRequest
from headwater.web.services import Services

COOKIE = "headwater_form"


def issue_form_token(request: AnyRequest, services: Services) -> tuple[str, Cookie]:
    """Return the hidden field's value and the cookie that belongs to it."""
    nonce = request.cookies.get(COOKIE) or secrets.token_urlsafe(24)
    cookie = Cookie(
        COOKIE, value=nonce, httponly=True, samesite="lax", secure=is_https(request), path="/"
    )
    return services.vault.fingerprint(f"form:{nonce}"), cookie


def check_form_token(request: AnyRequest, services: Services, sent: str) -> None:
    """Refuse a form that is not from a page of ours in this very browser."""
    check_same_origin(request)
    expected = services.vault.fingerprint(f"form:{request.cookies.get(COOKIE, '')}")
    if not hmac.compare_digest(sent.encode(), expected.encode()):
        raise NotAllowedError(
            "The form was too old, or cookies are off.", hint="Load the page again and repeat."
        )
