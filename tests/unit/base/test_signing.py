"""Signatures of webhooks: as the standard computes them, and so that any change shows."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from headwater.base.errors import InvalidInputError
from headwater.base.signing import SECRET_PREFIX, new_signing_secret, sign, signing_key

AT = datetime(2026, 11, 23, 10, 0, 0, 999_000, tzinfo=UTC)
KEY = bytes(range(32))
SECRET = SECRET_PREFIX + base64.b64encode(KEY).decode()


def test_the_signature_is_the_standards() -> None:
    """HMAC-SHA256 over id, seconds and body, joined by dots; computed here by hand."""
    body = '{"name":"Ångström"}'.encode()
    seconds = 1_795_428_000
    headers = sign(SECRET, "msg-1", AT, body)
    code = hmac.new(KEY, b"msg-1.%d." % seconds + body, hashlib.sha256).digest()
    assert headers["webhook-id"] == "msg-1"
    assert headers["webhook-timestamp"] == str(seconds)
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(code).decode()}"
    own = hmac.new(SECRET.encode(), b"%d." % seconds + body, hashlib.sha256).hexdigest()
    assert headers["x-headwater-signature"] == f"t={seconds},v1={own}"


def test_the_zone_of_the_time_does_not_matter() -> None:
    """An instant is signed, however it is written."""
    elsewhere = AT.astimezone(timezone(timedelta(hours=9)))
    assert sign(SECRET, "msg-1", elsewhere, b"{}") == sign(SECRET, "msg-1", AT, b"{}")


@given(
    body=st.text(st.characters(exclude_categories=["Cs"]), min_size=1).map(str.encode),
    place=st.integers(min_value=0),
)
def test_one_changed_byte_is_noticed(body: bytes, place: int) -> None:
    """Whatever the body, and wherever the byte."""
    headers = sign(SECRET, "msg-1", datetime.now(UTC), body)
    Webhook(SECRET).verify(body, headers, json_parse=False)
    forged = bytearray(body)
    forged[place % len(body)] ^= 1
    with pytest.raises((WebhookVerificationError, UnicodeDecodeError)):
        Webhook(SECRET).verify(bytes(forged), headers)


@pytest.mark.parametrize("secret", [SECRET, SECRET.rstrip("=")])
def test_a_standard_secret_is_base64(secret: str) -> None:
    """Padded or not."""
    assert len(signing_key(secret)) == 32


def test_any_longer_text_is_a_secret() -> None:
    """Its own bytes are the key."""
    assert signing_key("correct horse") == b"correct horse"


@pytest.mark.parametrize("secret", ["", "short", "schöne Wörter", "whsec_x", "whsec_===="])
def test_what_cannot_sign_is_refused(secret: str) -> None:
    """And the field is named."""
    with pytest.raises(InvalidInputError) as caught:
        signing_key(secret)
    assert caught.value.field == "secret"


def test_new_secrets_differ() -> None:
    """They are random, and long enough to sign with."""
    first, second = new_signing_secret(), new_signing_secret()
    assert first != second
    assert len(signing_key(first)) == 32
